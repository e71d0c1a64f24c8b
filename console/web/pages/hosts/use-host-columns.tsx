import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { HostRow } from '../../../protocol/hosts.ts'
import { hostState, hostStateBadge, hostStates, TextLink, type GridColumn } from '../../ui/index.ts'

/** What the table tells of each host. */
export function useHostColumns(): readonly GridColumn<HostRow>[] {
  const { t } = useTranslation()
  return useMemo(() => {
    const badges = new Map(hostStates.map((state) => [state, hostStateBadge(t, state)]))
    const roles = { ControlPlane: t('common.role.ControlPlane'), Worker: t('common.role.Worker') }
    const dim = (text: string) => <span className="k-muted">{text}</span>
    const columns: (Omit<GridColumn<HostRow>, 'header'> & {
      readonly key: 'name' | 'state' | 'reason' | 'role' | 'address' | 'os' | 'kernel' | 'agent' | 'labels'
    })[] = [
      {
        key: 'name',
        width: 'minmax(8.5rem, 1.2fr)',
        render: ({ name }) => <TextLink href={`/hosts/${name}`}>{name}</TextLink>,
      },
      { key: 'state', width: '8rem', render: (row) => badges.get(hostState(row)) },
      {
        key: 'reason',
        width: 'minmax(9.5rem, 1.2fr)',
        render: ({ reason, message }) => <span title={message}>{reason}</span>,
      },
      { key: 'role', width: '8rem', render: ({ role }) => dim(roles[role]) },
      { key: 'address', width: '8.5rem', render: ({ address }) => <span className="k-mono">{address}</span> },
      { key: 'os', width: 'minmax(10rem, 1.5fr)', render: ({ os }) => dim(os) },
      {
        key: 'kernel',
        width: 'minmax(9rem, 1fr)',
        render: ({ kernel }) => <span className="k-mono k-muted">{kernel}</span>,
      },
      { key: 'agent', width: '6rem', render: ({ agentVersion }) => <span className="k-mono">{agentVersion}</span> },
      {
        key: 'labels',
        width: 'minmax(10rem, 2fr)',
        render: ({ labels }) =>
          dim(
            Object.entries(labels)
              .map(([key, value]) => `${shortKey(key)}=${value}`)
              .join('  '),
          ),
      },
    ]
    return columns.map((column) => ({
      ...column,
      header: t(`hosts.columns.${column.key}`),
      sortable: column.key !== 'labels',
    }))
  }, [t])
}

/** topology.kubernetes.io/zone → zone: the prefix says where a label comes from, which the host's own page tells. */
function shortKey(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}
