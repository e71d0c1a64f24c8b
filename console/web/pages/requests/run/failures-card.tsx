import type { HostRequest, HostRequestStatus } from '@keelson/api'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Badge, Card, Notice, Table } from '../../../ui/index.ts'

/** Why hosts failed, equal failures once, the most frequent first. Nothing where none did. */
export function FailuresCard({ request: { status } }: { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  if (status === undefined || status.failureGroups.length === 0) return null
  const { failureGroups, failures, truncated } = status
  return (
    <Card title={t('run.failures.title')}>
      <div className="k-stack">
        <ul className="k-groups">
          {failureGroups.map((group) => (
            <FailureGroup
              key={`${group.reason} ${group.code ?? ''} ${group.message} ${group.sample[0] ?? ''}`}
              group={group}
            />
          ))}
        </ul>
        {truncated === true && <Notice>{t('run.failures.truncated')}</Notice>}
        {failures.length > 3 && (
          <details>
            <summary>{t('run.failures.first', { count: failures.length })}</summary>
            <Table
              label={t('run.failures.title')}
              rows={failures}
              rowKey={({ host }) => host}
              columns={[
                { key: 'host', header: t('run.failures.host'), render: ({ host }) => <HostLink name={host} /> },
                { key: 'reason', header: t('run.failures.reason'), narrow: true, render: ({ reason }) => reason },
                { key: 'message', header: t('run.failures.message'), render: ({ message }) => message },
              ]}
            />
          </details>
        )}
      </div>
    </Card>
  )
}

function FailureGroup({ group }: { readonly group: HostRequestStatus['failureGroups'][number] }): ReactNode {
  const { t } = useTranslation()
  const { reason, code, message, count, sample } = group
  // The operator's word for the group of all the rest.
  const isRest = reason === 'Other' && code === undefined
  return (
    <li className="k-group">
      <span className="k-group-count">{t('run.failures.group', { count })}</span>
      <div>
        <div className="k-row">
          <Badge tone="bad">{reason}</Badge>
          {code !== undefined && <Badge>{t('run.failures.http', { code })}</Badge>}
          <span className="k-text">{isRest ? t('run.failures.rest') : message}</span>
        </div>
        <Sample hosts={sample} count={count} />
      </div>
    </li>
  )
}

/** Some of the hosts by name, and how many more. */
export function Sample({ hosts, count }: { readonly hosts: readonly string[]; readonly count: number }): ReactNode {
  const { t } = useTranslation()
  return (
    <div className="k-small k-row">
      {hosts.map((name) => (
        <HostLink key={name} name={name} />
      ))}
      {count > hosts.length && (
        <span className="k-muted">{t('run.failures.others', { count: count - hosts.length })}</span>
      )}
    </div>
  )
}

function HostLink({ name }: { readonly name: string }): ReactNode {
  return (
    <Link to="/hosts/$name" params={{ name }}>
      {name}
    </Link>
  )
}
