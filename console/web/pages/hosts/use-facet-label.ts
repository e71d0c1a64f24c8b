import { useTranslation } from 'react-i18next'
import type { HostRow } from '../../../protocol/hosts.ts'
import type { HostState } from '../../ui/host-state.ts'
import { withoutValue, type Facet } from './hosts-view.ts'

/** What a value of a facet is called. Reasons, systems and versions are the cluster's own words. */
export function useFacetLabel(): (facet: Facet, value: string) => string {
  const { t } = useTranslation()
  return (facet, value) => {
    if (facet === 'state') return t(`common.host.${value as HostState}`)
    if (facet === 'role') return t(`common.role.${value as HostRow['role']}`)
    return value === withoutValue ? t('hosts.without') : value
  }
}
