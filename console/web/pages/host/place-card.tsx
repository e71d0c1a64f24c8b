import type { Host } from '@keelson/api'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Card, Facts, Moment } from '../../ui/index.ts'

/** Where the host stands in the cluster: role, addresses, labels. */
export function PlaceCard({ host: { metadata, status } }: { readonly host: Host }): ReactNode {
  const { t } = useTranslation()
  const addresses = Map.groupBy(status?.addresses ?? [], ({ type }) => type)
  const items: (readonly [string, ReactNode])[] = [...addresses].map(([type, each]) => [
    type,
    <span key={type} className="k-mono">
      {each.map(({ address }) => address).join('  ')}
    </span>,
  ])
  if (status !== undefined) items.push([t('host.fact.role'), t(`common.role.${status.role}`)])
  if (metadata.creationTimestamp !== undefined)
    items.push([t('host.fact.created'), <Moment key="created" time={metadata.creationTimestamp} />])
  const labels = Object.entries(metadata.labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return (
    <Card title={t('host.addresses')}>
      <div className="k-stack">
        {addresses.size === 0 && <span className="k-muted">{t('host.noAddresses')}</span>}
        <Facts items={items} />
        <div>
          <h3 className="k-small-heading">{t('host.labels')}</h3>
          {labels.length === 0 ? (
            <span className="k-muted">{t('host.noLabels')}</span>
          ) : (
            <ul className="k-labels">
              {labels.map(([key, value]) => (
                <li key={key} className="k-mono">
                  {key}={value}
                </li>
              ))}
            </ul>
          )}
        </div>
      </div>
    </Card>
  )
}
