import { IconCircleCheck, IconSend, IconServerOff } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useHosts } from '../../live/use-live.ts'
import { useMayCompose } from '../../session/session.ts'
import {
  Bar,
  Card,
  Empty,
  HostStateBadge,
  hostState,
  hostStates,
  LinkButton,
  Loading,
  NoPermission,
  Page,
  Table,
  type HostState,
} from '../../ui/index.ts'
import { LastRunsCard } from './last-runs-card.tsx'
import { ReasonsCard } from './reasons-card.tsx'
import { summarise, type FleetSummary } from './summary.ts'

const shownHosts = 8

/** Is the fleet as it should be, and if not, where and why. */
export function OverviewPage(): ReactNode {
  const { t } = useTranslation()
  const mayCompose = useMayCompose()
  return (
    <Page
      title={t('overview.title')}
      actions={
        mayCompose && (
          <LinkButton to="/requests/new" variant="primary" icon={<IconSend aria-hidden />}>
            {t('overview.compose')}
          </LinkButton>
        )
      }
    >
      <FleetCards>
        <LastRunsCard />
        <ReasonsCard />
      </FleetCards>
    </Page>
  )
}

/** The state of all hosts, then the cards given, then the hosts that need attention. */
function FleetCards({ children }: { readonly children: ReactNode }): ReactNode {
  const { t } = useTranslation()
  const { state, items, problem } = useHosts()
  const summary = useMemo(() => summarise(items, shownHosts), [items])
  if (state === 'Loading' || state === 'Denied' || items.length === 0) {
    return (
      <>
        <Card title={t('overview.fleet')}>
          {state === 'Loading' && <Loading lines={3} />}
          {state === 'Denied' && <NoPermission needs="list hosts.keelson.dev" {...(problem && { error: problem })} />}
          {state !== 'Loading' && state !== 'Denied' && (
            <Empty icon={IconServerOff} title={t('hosts.empty')}>
              {t('hosts.emptyHint')}
            </Empty>
          )}
        </Card>
        <div className="k-columns">{children}</div>
      </>
    )
  }
  return (
    <>
      <FleetCard summary={summary} />
      <div className="k-columns">{children}</div>
      <AttentionCard summary={summary} />
    </>
  )
}

const tones: Readonly<Record<HostState, 'good' | 'bad' | 'warning' | 'neutral'>> = {
  Ready: 'good',
  NotReady: 'bad',
  Offline: 'warning',
  Unknown: 'neutral',
}

function FleetCard({ summary: { total, states } }: { readonly summary: FleetSummary }): ReactNode {
  const { t, i18n } = useTranslation()
  const numbers = new Intl.NumberFormat(i18n.language)
  const all = states.Ready === total
  const title = all ? t('overview.fleetAllReady', { total }) : t('overview.fleetReady', { ready: states.Ready, total })
  const order = ['Ready', 'NotReady', 'Offline', 'Unknown'] as const
  return (
    <Card title={title}>
      <Bar
        large
        label={t('overview.fleet')}
        segments={order.map((state) => ({
          key: state,
          tone: tones[state],
          value: states[state],
          label: `${t(`common.host.${state}`)}: ${numbers.format(states[state])}`,
        }))}
      />
      <ul className="k-figures">
        {order.map((state) => (
          <li key={state}>
            <Link to="/hosts" search={{ state: [state] }} className="k-figure">
              <HostStateBadge state={state} />
              <span className="k-figure-number">{numbers.format(states[state])}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function AttentionCard({ summary: { attention, reasons } }: { readonly summary: FleetSummary }): ReactNode {
  const { t, i18n } = useTranslation()
  const numbers = new Intl.NumberFormat(i18n.language)
  if (attention.length === 0) {
    return (
      <Card title={t('overview.attention')}>
        <Empty icon={IconCircleCheck} title={t('overview.attentionNone')}>
          {t('overview.attentionNoneHint')}
        </Empty>
      </Card>
    )
  }
  return (
    <Card
      flush
      title={t('overview.attention')}
      actions={
        <Link to="/hosts" search={{ state: hostStates.filter((state) => state !== 'Ready') }}>
          {t('overview.allAttention')}
        </Link>
      }
    >
      <ul className="k-row k-chip-list" aria-label={t('overview.attentionGroup')}>
        {reasons.map(({ reason, count }) => (
          <li key={reason}>
            <Link to="/hosts" search={{ reason: [reason] }} className="k-chip">
              {reason} <strong>{numbers.format(count)}</strong>
            </Link>
          </li>
        ))}
      </ul>
      <Table
        label={t('overview.attention')}
        rows={attention}
        rowKey={({ name }) => name}
        columns={[
          {
            key: 'host',
            header: t('overview.columns.host'),
            narrow: true,
            render: ({ name }) => (
              <Link to="/hosts/$name" params={{ name }}>
                {name}
              </Link>
            ),
          },
          {
            key: 'state',
            header: t('overview.columns.state'),
            narrow: true,
            render: (row) => <HostStateBadge state={hostState(row)} />,
          },
          {
            key: 'reason',
            header: t('overview.columns.reason'),
            render: ({ reason, message }) => (
              <>
                {reason} <span className="k-muted">{message}</span>
              </>
            ),
          },
        ]}
      />
    </Card>
  )
}
