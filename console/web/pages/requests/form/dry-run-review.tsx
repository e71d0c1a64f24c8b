import { IconAlertTriangle, IconArrowLeft, IconFlask, IconSend, IconTrash } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { Navigate, useNavigate } from '@tanstack/react-router'
import type { HostRequest } from '@keelson/api'
import { useEffect, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteRequest, sendRequest } from '../../../../protocol/requests.ts'
import { sendPatch } from '../../../../protocol/steering.ts'
import { call } from '../../../call.ts'
import { commandText } from '../../../kubectl/command.ts'
import { patchCommand } from '../../../kubectl/requests.ts'
import { useRequest } from '../../../live/use-live.ts'
import { problemOf } from '../../../problem-error.ts'
import { isFinished, outcomeOf } from '../../../run/outcome.ts'
import { useLasting } from '../../../run/use-lasting.ts'
import { Button, Card, Empty, KubectlCommand, Loading, NoPermission, Notice } from '../../../ui/index.ts'
import { useTargets } from '../run/use-targets.ts'
import { ExactRequest } from './exact-request.tsx'
import { RequestProblem } from './refused.tsx'
import { TargetNames } from './target-names.tsx'

interface DryRunReviewProps {
  readonly namespace: string
  readonly name: string
  /** Back to what was written; absent: it was not written here. */
  readonly onChange?: () => void
  readonly isChanging?: boolean
  readonly onSent?: () => void
}

/** What a dry run has told, and the way on from it. */
export function DryRunReview({ namespace, name, ...rest }: DryRunReviewProps): ReactNode {
  const { t } = useTranslation()
  const { state, item, problem } = useRequest(namespace, name)
  // What was made just now takes a moment to come round by the watch.
  const isGone = useLasting(state !== 'Loading' && item === undefined, 2_000)
  if (state === 'Denied') return <NoPermission {...(problem === undefined ? {} : { error: problem })} />
  if (state === 'Loading') return <Loading label={t('compose.review.waiting')} lines={6} />
  if (item === undefined && !isGone) return <Loading label={t('compose.review.waiting')} lines={6} />
  if (item === undefined) return <Empty icon={IconFlask} title={t('compose.review.gone')} action={<Back {...rest} />} />
  // It was sent meanwhile, here or elsewhere: what is to be seen now is its run.
  if (!item.spec.dryRun) return <Navigate to="/requests/$namespace/$name" params={{ namespace, name }} replace />
  if (!isFinished(item)) return <Waiting {...rest} />
  return <Told request={item} {...rest} />
}

type Way = Omit<DryRunReviewProps, 'namespace' | 'name'>

function Back({ onChange, isChanging = false }: Way): ReactNode {
  const { t } = useTranslation()
  if (onChange === undefined) return null
  return (
    <Button
      icon={<IconArrowLeft aria-hidden />}
      busy={isChanging}
      onClick={onChange}
      title={t('compose.review.changeHint')}
    >
      {t('compose.review.change')}
    </Button>
  )
}

/** Longer than an operator that runs ever takes, in seconds. */
const patience = 10

function Waiting(way: Way): ReactNode {
  const { t } = useTranslation()
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setSeconds((now) => now + 1), 1_000)
    return () => clearInterval(timer)
  }, [])
  return (
    <Card>
      <div className="k-stack">
        <p className="k-flat" role="status">
          <span className="k-spinner k-inline" aria-hidden="true" /> {t('compose.review.waiting')}
        </p>
        {seconds >= patience && (
          <Notice tone="warning" icon={IconAlertTriangle} alert>
            {t('compose.review.waitingLong', { seconds: seconds - (seconds % patience) })}
          </Notice>
        )}
        <div className="k-row">
          <Back {...way} />
        </div>
      </div>
    </Card>
  )
}

function Told({ request, onSent, ...way }: Way & { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { metadata, status } = request
  const key = { namespace: metadata.namespace ?? '', name: metadata.name }
  const { resourceVersion } = metadata
  const toRun = () => void navigate({ to: '/requests/$namespace/$name', params: key, replace: true })
  const send = useMutation({
    // What was looked at is what is sent.
    mutationFn: () =>
      call(sendRequest, { params: key, body: resourceVersion === undefined ? {} : { resourceVersion } }),
    onSuccess: () => {
      onSent?.()
      toRun()
    },
  })
  const discard = useMutation({
    mutationFn: () => call(deleteRequest, { params: key }),
    onSuccess: () => void navigate({ to: '/requests' }),
  })
  const { names } = useTargets(request)
  if (status === undefined) return null
  const outcome = outcomeOf(status)
  const meant = names?.filter((_, index) => outcome(index) === 'Meant') ?? []
  const skipped = names?.filter((_, index) => outcome(index) === 'Skipped') ?? []
  const { counts, dryRun } = status
  const meantCount = counts.targets - counts.skipped
  const isGood = status.state === 'SUCCESS'
  return (
    <div className="k-stack">
      {isGood ? (
        <Notice tone="info" icon={IconFlask}>
          <strong>{t('compose.review.ready', { count: meantCount })}</strong> {t('compose.review.notSent')}
          <div className="k-small">{status.msg}</div>
        </Notice>
      ) : (
        <Notice tone="bad" icon={IconAlertTriangle} alert>
          <strong>{t('compose.review.refused')}</strong>
          <div>{status.msg}</div>
        </Notice>
      )}
      <div className="k-columns">
        <Card title={t('compose.review.targets')}>
          <div className="k-stack">
            <TargetNames title={t('compose.review.ready', { count: meantCount })} names={meant} />
            {counts.skipped > 0 && (
              <TargetNames title={t('compose.review.skipped', { count: counts.skipped })} names={skipped} />
            )}
            <div className="k-muted k-small">{t('compose.review.warnOnline')}</div>
          </div>
        </Card>
        {dryRun !== undefined && (
          <ExactRequest request={dryRun.request} hosts={meant.length > 0 ? meant : (names ?? [])} />
        )}
      </div>
      {send.error !== null && problemOf(send.error).status === 409 ? (
        <Notice tone="warning" icon={IconAlertTriangle} alert>
          {t('compose.review.conflict')}
        </Notice>
      ) : (
        <RequestProblem error={send.error ?? discard.error} />
      )}
      <div className="k-row">
        <Back {...way} />
        <Button
          icon={<IconTrash aria-hidden />}
          variant="ghost"
          busy={discard.isPending}
          onClick={() => discard.mutate()}
        >
          {t('compose.review.discard')}
        </Button>
        {isGood && (
          <Button
            variant="primary"
            icon={<IconSend aria-hidden />}
            busy={send.isPending}
            onClick={() => send.mutate()}
            className="k-push"
          >
            {t('compose.review.sendTo', { count: meantCount })}
          </Button>
        )}
      </div>
      {isGood && <KubectlCommand command={commandText(patchCommand(key, sendPatch))} />}
    </div>
  )
}
