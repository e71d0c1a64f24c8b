import { systemNamespace } from '@keelson/api'

/** All replicas share it; the chart names it too. */
export const operatorLease = { namespace: systemNamespace, name: 'keelson-operator' } as const
