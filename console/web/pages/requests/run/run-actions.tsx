import {
  IconCopy,
  IconDots,
  IconHandStop,
  IconPlayerPause,
  IconPlayerPlay,
  IconRefresh,
  IconReload,
  IconSend,
  IconTrash,
  type TablerIcon,
} from '@tabler/icons-react'
import type { HostRequest } from '@keelson/api'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { pauseRequest } from '../../../../protocol/requests.ts'
import { call } from '../../../call.ts'
import { problemOf } from '../../../problem-error.ts'
import { actionsOf, type Action } from '../../../run/actions.ts'
import { Button, Menu, showToast } from '../../../ui/index.ts'
import { refusedText } from '../form/editing.tsx'
import { ActionDialog } from './action-dialog.tsx'
import { RetryDialog } from './retry-dialog.tsx'

const icons: Readonly<Record<Action, TablerIcon>> = {
  send: IconSend,
  pause: IconPlayerPause,
  resume: IconPlayerPlay,
  abort: IconHandStop,
  retry: IconRefresh,
  run: IconReload,
  copy: IconCopy,
  delete: IconTrash,
}

/** In the order of the page; the rest is in the menu. */
const prominent: readonly Action[] = ['pause', 'resume', 'abort', 'retry']

interface RunActionsProps {
  readonly request: HostRequest
  readonly names: readonly string[] | undefined
}

/** What can be done with a request now. To pause takes one click: whoever wants it wants it at once, and can take it back. */
export function RunActions({ request, names }: RunActionsProps): ReactNode {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [asked, setAsked] = useState<Action>()
  const { metadata } = request
  const key = { namespace: metadata.namespace ?? '', name: metadata.name }
  const possible = actionsOf(request)
  const pause = useMutation({
    mutationFn: () => call(pauseRequest, { params: key, body: {} }),
    onSuccess: () => showToast(t('run.done.pause')),
    onError: (error) => showToast(refusedText(t, problemOf(error)), 'bad'),
  })
  const act = (action: Action) => {
    if (action === 'pause') pause.mutate()
    else if (action === 'copy') void navigate({ to: '/requests/new', search: { copy: `${key.namespace}/${key.name}` } })
    else setAsked(action)
  }
  const close = () => setAsked(undefined)
  // A dry run has its own button to send, beside what it tells.
  const others = possible.filter((action) => !prominent.includes(action) && action !== 'send')
  return (
    <>
      {prominent
        .filter((action) => possible.includes(action))
        .map((action) => {
          const Icon = icons[action]
          return (
            <Button
              key={action}
              icon={<Icon aria-hidden />}
              variant={
                action === 'retry' || action === 'resume' ? 'primary' : action === 'abort' ? 'danger' : 'secondary'
              }
              busy={action === 'pause' && pause.isPending}
              onClick={() => act(action)}
            >
              {t(`run.action.${action}`)}
            </Button>
          )
        })}
      <Menu align="end" label={t('common.more')} button={<IconDots aria-hidden size={18} />}>
        {(closeMenu) =>
          others.map((action) => {
            const Icon = icons[action]
            return (
              <button
                key={action}
                type="button"
                className="k-menu-item"
                onClick={() => {
                  closeMenu()
                  act(action)
                }}
              >
                <Icon aria-hidden size={18} /> {t(`run.action.${action}`)}
              </button>
            )
          })
        }
      </Menu>
      {asked === 'retry' ? (
        <RetryDialog request={request} names={names} onClose={close} />
      ) : (
        (asked === 'resume' || asked === 'abort' || asked === 'run' || asked === 'delete') && (
          <ActionDialog action={asked} request={request} onClose={close} />
        )
      )}
    </>
  )
}
