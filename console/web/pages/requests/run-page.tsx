import {
  IconAlertTriangle,
  IconFlask,
  IconHandStop,
  IconListDetails,
  IconPlayerPause,
  IconTrash,
} from '@tabler/icons-react'
import type { HostRequest } from '@keelson/api'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useRef, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useRequest } from '../../live/use-live.ts'
import { isFinished, stateOf } from '../../run/outcome.ts'
import { useLasting } from '../../run/use-lasting.ts'
import { Badge, Empty, LinkButton, Loading, NoPermission, Notice, Page, RunStateBadge } from '../../ui/index.ts'
import { DryRunReview } from './form/dry-run-review.tsx'
import { AnswersCard } from './run/answers-card.tsx'
import { DetailsCard } from './run/details-card.tsx'
import { FailuresCard } from './run/failures-card.tsx'
import { HostsCard } from './run/hosts-card.tsx'
import { RunActions } from './run/run-actions.tsx'
import { SummaryCard } from './run/summary-card.tsx'
import { useRunTargets } from './run/use-run-targets.ts'
import { WavesCard } from './run/waves-card.tsx'

const route = getRouteApi('/app/requests/$namespace/$name')

/** One request and how its run goes, live. */
export function RunPage(): ReactNode {
  const { namespace, name } = route.useParams()
  // Another request is another page: nothing of what was opened or typed on one belongs to the next.
  return <RunOf key={`${namespace}/${name}`} namespace={namespace} name={name} />
}

function RunOf({ namespace, name }: { readonly namespace: string; readonly name: string }): ReactNode {
  const { t } = useTranslation()
  const { state, item, problem } = useRequest(namespace, name)
  // What was made just now takes a moment to come round by the watch.
  const isMissing = useLasting(state !== 'Loading' && item === undefined, 2_000)
  const last = useRef<HostRequest>(undefined)
  if (item !== undefined) last.current = item
  // Whoever watched a run to its end still wants to read what came of it when its time after the end is over.
  const shown = item ?? (state === 'Denied' ? undefined : last.current)
  if (shown !== undefined) return <RunView request={shown} isGone={item === undefined} />
  return (
    <Page title={name} parent={<Parent namespace={namespace} />}>
      {state === 'Denied' ? (
        <NoPermission needs="list hostrequests.keelson.dev" {...(problem === undefined ? {} : { error: problem })} />
      ) : state === 'Loading' || !isMissing ? (
        <Loading lines={8} />
      ) : (
        <Empty
          icon={IconListDetails}
          title={t('run.notFound.title')}
          action={<LinkButton to="/requests">{t('run.notFound.toList')}</LinkButton>}
        >
          {t('run.notFound.hint')}
        </Empty>
      )}
    </Page>
  )
}

function Parent({ namespace }: { readonly namespace: string }): ReactNode {
  const { t } = useTranslation()
  return (
    <>
      <Link to="/requests">{t('requests.title')}</Link>
      {' / '}
      <Link to="/requests" search={{ namespace }}>
        {namespace}
      </Link>
    </>
  )
}

function RunView({ request, isGone }: { readonly request: HostRequest; readonly isGone: boolean }): ReactNode {
  const { t } = useTranslation()
  const { metadata, spec, status } = request
  const namespace = metadata.namespace ?? ''
  const targets = useRunTargets(request)
  const state = stateOf(request)
  const isUnseen = useLasting(status?.observedGeneration !== metadata.generation, 3_000)
  const stalled = status?.conditions.find(({ type, status: holds }) => type === 'Stalled' && holds === 'True')
  return (
    <Page
      title={metadata.name}
      parent={<Parent namespace={namespace} />}
      badge={
        <>
          <RunStateBadge state={state} />
          {spec.dryRun && <Badge icon={IconFlask}>{t('run.dryRun')}</Badge>}
        </>
      }
      subtitle={
        <span className="k-mono">
          {spec.http.method} :{spec.http.port}
          {spec.http.api}
        </span>
      }
      actions={isGone ? undefined : <RunActions request={request} names={targets.names} />}
    >
      <div className="k-stack">
        {isGone && (
          <Notice tone="warning" icon={IconTrash} alert>
            {t('run.deleted')}
          </Notice>
        )}
        {isUnseen && !isGone && (
          <Notice tone="warning" icon={IconAlertTriangle} alert>
            {t('run.notSeen')}
          </Notice>
        )}
        {state === 'PAUSED' && stalled !== undefined && (
          <Notice tone="warning" icon={IconHandStop} alert>
            {t('run.waitsForAnswer')}
          </Notice>
        )}
        {spec.suspend && !isFinished(request) && (
          <Notice tone="warning" icon={IconPlayerPause}>
            {t('run.held')}
          </Notice>
        )}
        {spec.dryRun && !isGone ? (
          <DryRunReview namespace={namespace} name={metadata.name} />
        ) : (
          <>
            <SummaryCard request={request} />
            {targets.error !== null && (
              <Notice tone="warning" icon={IconAlertTriangle}>
                {t('run.matrix.tooMany')} {targets.error.message}
              </Notice>
            )}
            <FailuresCard request={request} />
            <WavesCard request={request} order={targets.order} />
            <HostsCard request={request} targets={targets} />
            <AnswersCard request={request} />
          </>
        )}
        <DetailsCard request={request} />
      </div>
    </Page>
  )
}
