import type { HostRequest, HostRequestStatus } from '@keelson/api'
import { useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Commands } from './commands.tsx'
import { writtenSpec } from '../../../request-form/spec-of-form.ts'
import { manifest } from '../../../kubectl/requests.ts'
import { Card, CopyButton, Moment, OutcomeBar, RunStateBadge, Table, Tabs } from '../../../ui/index.ts'

type Tab = 'history' | 'conditions' | 'spec' | 'kubectl'

/** What is asked for seldom: former runs, conditions, the spec as it was written. */
export function DetailsCard({ request }: { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  const [tab, setTab] = useState<Tab>('spec')
  return (
    <Card title={t('run.details.title')}>
      <Tabs
        label={t('run.details.title')}
        current={tab}
        onChange={setTab}
        tabs={(['spec', 'kubectl', 'conditions', 'history'] as const).map((key) => ({
          key,
          label: t(`run.details.${key}`),
        }))}
      >
        {tab === 'spec' && <Spec request={request} />}
        {tab === 'kubectl' && <Commands request={request} />}
        {tab === 'conditions' && <Conditions conditions={request.status?.conditions ?? []} />}
        {tab === 'history' && <History history={request.status?.history ?? []} />}
      </Tabs>
    </Card>
  )
}

function Spec({ request: { metadata, spec } }: { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  const text = useMemo(() => {
    const key = { namespace: metadata.namespace ?? '', name: metadata.name }
    return manifest(key, writtenSpec(spec))
  }, [metadata, spec])
  return (
    <div className="k-code">
      <pre className="k-yaml" tabIndex={0} aria-label={t('run.details.spec')}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} />
    </div>
  )
}

function Conditions({ conditions }: { readonly conditions: HostRequestStatus['conditions'] }): ReactNode {
  const { t } = useTranslation()
  if (conditions.length === 0) return <p className="k-muted k-flat">{t('run.details.noConditions')}</p>
  return (
    <Table
      label={t('run.details.conditions')}
      rows={conditions}
      rowKey={({ type }) => type}
      columns={[
        { key: 'type', header: t('run.details.type'), narrow: true, render: ({ type }) => type },
        { key: 'status', header: t('run.details.status'), narrow: true, render: ({ status }) => status },
        { key: 'reason', header: t('run.failures.reason'), narrow: true, render: ({ reason }) => reason },
        { key: 'message', header: t('run.failures.message'), render: ({ message }) => message },
        {
          key: 'since',
          header: t('run.details.since'),
          narrow: true,
          render: ({ lastTransitionTime }) => <Moment time={lastTransitionTime} />,
        },
      ]}
    />
  )
}

function History({ history }: { readonly history: HostRequestStatus['history'] }): ReactNode {
  const { t } = useTranslation()
  if (history.length === 0) return <p className="k-muted k-flat">{t('run.details.noHistory')}</p>
  return (
    <Table
      label={t('run.details.history')}
      rows={history}
      rowKey={({ id }) => id}
      columns={[
        {
          key: 'end',
          header: t('run.details.end'),
          narrow: true,
          render: ({ finishTime }) => <Moment time={finishTime} />,
        },
        {
          key: 'state',
          header: t('run.details.state'),
          narrow: true,
          render: ({ state }) => <RunStateBadge state={state} />,
        },
        {
          key: 'counts',
          header: t('run.details.counts'),
          render: ({ id, counts }) => (
            <span className="k-progress-cell">
              <OutcomeBar counts={counts} label={t('requests.progressOf', { name: id })} />
              <span className="k-progress-text">
                {counts.succeeded}/{counts.targets - counts.skipped}
              </span>
            </span>
          ),
        },
        { key: 'id', header: t('run.details.runId'), render: ({ id }) => <span className="k-mono">{id}</span> },
      ]}
    />
  )
}
