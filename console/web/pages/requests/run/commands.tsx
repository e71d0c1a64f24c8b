import type { HostRequest } from '@keelson/api'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { abortPatch, pausePatch, resumePatch, runAgainPatch, sendPatch } from '../../../../protocol/steering.ts'
import { commandText, type KubectlCommand } from '../../../kubectl/command.ts'
import { deleteCommand, getCommand, patchCommand, waitCommand } from '../../../kubectl/requests.ts'
import { newRunToken } from '../../../request-form/suggested-name.ts'
import { actionsOf, type Action } from '../../../run/actions.ts'
import { CopyButton } from '../../../ui/index.ts'

/** For each thing that can be done now, what does the same in a shell. */
export function Commands({ request }: { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  const [token] = useState(() => newRunToken(Math.random))
  const { metadata } = request
  const key = { namespace: metadata.namespace ?? '', name: metadata.name }
  const commands: readonly (readonly [string, KubectlCommand])[] = [
    [t('run.command.get'), getCommand(key)],
    [t('run.command.wait'), waitCommand(key)],
    ...actionsOf(request).flatMap((action) => {
      const command = steeringCommand(action, request, token)
      return command === undefined ? [] : [[t(`run.action.${action}`), command] as const]
    }),
  ]
  return (
    <ul className="k-groups">
      {commands.map(([label, command]) => {
        const text = commandText(command)
        return (
          <li key={label}>
            <div className="k-strong">{label}</div>
            <div className="k-code">
              <pre tabIndex={0} aria-label={label}>
                <code>{text}</code>
              </pre>
              <CopyButton text={text} />
            </div>
          </li>
        )
      })}
    </ul>
  )
}

/** `undefined`: it makes another request, and its dialog tells how. */
export function steeringCommand(action: Action, request: HostRequest, token: string): KubectlCommand | undefined {
  const { metadata } = request
  const key = { namespace: metadata.namespace ?? '', name: metadata.name }
  switch (action) {
    case 'send':
      return patchCommand(key, sendPatch)
    case 'pause':
      return patchCommand(key, pausePatch)
    case 'resume':
      return patchCommand(key, resumePatch(request))
    case 'abort':
      return patchCommand(key, abortPatch(request))
    case 'run':
      return patchCommand(key, runAgainPatch(request, token))
    case 'delete':
      return deleteCommand(key)
    case 'retry':
    case 'copy':
      return undefined
  }
}
