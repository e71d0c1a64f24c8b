import type { HostRequest } from '@keelson/api'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { abortRequest, deleteRequest, resumeRequest, runAgain } from '../../../../protocol/requests.ts'
import { resumePatch } from '../../../../protocol/steering.ts'
import { call } from '../../../call.ts'
import { newRunToken } from '../../../request-form/suggested-name.ts'
import { commandText } from '../../../kubectl/command.ts'
import { isFinished } from '../../../run/outcome.ts'
import { MayNotWrite, RequestProblem } from '../form/refused.tsx'
import { steeringCommand } from './commands.tsx'
import { ConfirmDialog, KubectlCommand, showToast } from '../../../ui/index.ts'

type ConfirmedAction = 'resume' | 'abort' | 'run' | 'delete'

interface ActionDialogProps {
  readonly action: ConfirmedAction
  readonly request: HostRequest
  readonly onClose: () => void
}

/** Asks before something is done with a request, and tells what that would be. */
export function ActionDialog({ action, request, onClose }: ActionDialogProps): ReactNode {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { metadata } = request
  const key = { namespace: metadata.namespace ?? '', name: metadata.name }
  const [token] = useState(() => newRunToken(Math.random))
  const act = useMutation({
    mutationFn: () => {
      switch (action) {
        case 'resume':
          return call(resumeRequest, { params: key, body: {} })
        case 'abort':
          return call(abortRequest, { params: key, body: {} })
        case 'run':
          return call(runAgain, { params: key, body: {} })
        case 'delete':
          return call(deleteRequest, { params: key })
      }
    },
    onSuccess: () => {
      showToast(t(`run.done.${action}`))
      onClose()
      if (action === 'delete') void navigate({ to: '/requests' })
    },
  })
  const command = steeringCommand(action, request, token)
  return (
    <ConfirmDialog
      open
      title={t(`run.action.${action}`)}
      confirm={t(`run.action.${action}`)}
      variant={action === 'abort' || action === 'delete' ? 'danger' : 'primary'}
      busy={act.isPending}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <div className="k-stack">
        <p className="k-flat">{t(`run.confirm.${explanationOf(action, request)}`)}</p>
        <MayNotWrite namespace={key.namespace} />
        <RequestProblem error={act.error} />
        {command !== undefined && <KubectlCommand command={commandText(command)} />}
      </div>
    </ConfirmDialog>
  )
}

function explanationOf(action: ConfirmedAction, request: HostRequest) {
  if (action === 'delete') return isFinished(request) ? 'delete' : 'deleteRunning'
  if (action !== 'resume') return action
  const { onFailure, maxFailures } = resumePatch(request).spec
  if (maxFailures !== undefined) return 'resumeFailures'
  return onFailure === undefined ? 'resume' : 'resumeWave'
}
