import type { HostRequestStatus } from '@keelson/api'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { filledIn } from '../../../request-form/filled-in.ts'
import { useHosts } from '../../../live/use-live.ts'
import { Card, Select } from '../../../ui/index.ts'

interface ExactRequestProps {
  readonly request: NonNullable<HostRequestStatus['dryRun']>['request']
  readonly hosts: readonly string[]
}

/** No more are offered to choose from: they differ in name and uid alone. */
const offered = 200

/** The request as it goes out, filled in for a host. */
export function ExactRequest({ request, hosts }: ExactRequestProps): ReactNode {
  const { t } = useTranslation()
  const { items } = useHosts()
  const [chosen, setChosen] = useState<string>()
  const host = chosen !== undefined && hosts.includes(chosen) ? chosen : (hosts[0] ?? '')
  const uid = items.find(({ name }) => name === host)?.uid
  const { method, url, headers, body } = filledIn(request, { host, uid })
  return (
    <Card title={t('compose.review.exact')}>
      <div className="k-stack">
        {hosts.length > 1 && (
          <Select
            label={t('compose.review.forHost')}
            value={host}
            onChange={setChosen}
            options={hosts.slice(0, offered).map((name) => ({ value: name, label: name }))}
          />
        )}
        <div className="k-exact" tabIndex={0} role="group" aria-label={t('compose.review.exact')}>
          <div className="k-strong">
            {method} {url}
          </div>
          {headers.map((header) => (
            <div key={header}>{header}</div>
          ))}
          {body === undefined ? (
            <div className="k-muted k-gap-above">{t('compose.review.noBody')}</div>
          ) : (
            <pre className="k-exact-body">{body}</pre>
          )}
        </div>
        {uid === undefined && headers.some((header) => header.includes('{uid}')) && (
          <div className="k-muted k-small">{t('compose.review.uidUnknown')}</div>
        )}
      </div>
    </Card>
  )
}
