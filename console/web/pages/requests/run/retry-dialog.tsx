import type { HostRequest } from '@keelson/api'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Subdomain } from '../../../../protocol/names.ts'
import { retryFailed } from '../../../../protocol/requests.ts'
import { retryOfAnnotation, retrySpec } from '../../../../protocol/steering.ts'
import { call } from '../../../call.ts'
import { writtenSpec } from '../../../request-form/spec-of-form.ts'
import { retryName } from '../../../request-form/suggested-name.ts'
import { commandText } from '../../../kubectl/command.ts'
import { createCommand } from '../../../kubectl/requests.ts'
import { hostsWith } from '../../../run/matrix.ts'
import { Button, Checkbox, Dialog, KubectlCommand, Notice, showToast, TextInput } from '../../../ui/index.ts'
import { MayNotWrite, RequestProblem } from '../form/refused.tsx'
import { TargetNames } from '../form/target-names.tsx'

/** As many as one request can name. */
const maxHosts = 1024

interface RetryDialogProps {
  readonly request: HostRequest
  readonly names: readonly string[] | undefined
  readonly onClose: () => void
}

/** Makes a new request for the hosts that failed, and says which they are. */
export function RetryDialog({ request, names = [], onClose }: RetryDialogProps): ReactNode {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { metadata, status } = request
  const namespace = metadata.namespace ?? ''
  const failed = status?.counts.failed ?? 0
  const unknown = status?.counts.unknown ?? 0
  const [name, setName] = useState(() => retryName(metadata.name, Math.random))
  const [withUnknown, setWithUnknown] = useState(failed === 0)
  const hosts = status === undefined ? [] : hostsWith(status, names, withUnknown ? ['Failed', 'Unknown'] : ['Failed'])
  const count = failed + (withUnknown ? unknown : 0)
  const isNamed = Subdomain.safeParse(name).success
  const isPossible = count > 0 && count <= maxHosts && isNamed
  const retry = useMutation({
    mutationFn: () =>
      call(retryFailed, {
        params: { namespace, name: metadata.name },
        body: { name, includeUnknown: withUnknown },
      }),
    onSuccess: () => {
      showToast(t('run.done.retry'))
      onClose()
      void navigate({ to: '/requests/$namespace/$name', params: { namespace, name } })
    },
  })
  return (
    <Dialog
      open
      title={t('run.action.retry')}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button variant="primary" busy={retry.isPending} disabled={!isPossible} onClick={() => retry.mutate()}>
            {t('run.action.retry')}
          </Button>
        </>
      }
    >
      <div className="k-stack">
        <p className="k-flat">{t('run.confirm.retry')}</p>
        {unknown > 0 && (
          <Checkbox
            label={t('run.confirm.includeUnknown', { count: unknown })}
            description={t('run.confirm.includeUnknownHint')}
            checked={withUnknown}
            onChange={setWithUnknown}
          />
        )}
        {count === 0 ? (
          <Notice tone="warning">{t('run.confirm.retryNobody')}</Notice>
        ) : count > maxHosts ? (
          <Notice tone="warning">{t('run.confirm.retryTooMany', { max: maxHosts })}</Notice>
        ) : (
          <TargetNames title={t('run.confirm.retryHosts', { count })} names={hosts} />
        )}
        <TextInput
          label={t('run.confirm.retryName')}
          monospace
          value={name}
          error={isNamed ? undefined : t('compose.problem.NameRefused')}
          onChange={setName}
        />
        <MayNotWrite namespace={namespace} />
        <RequestProblem error={retry.error} />
        {isPossible && hosts.length === count && (
          <KubectlCommand
            command={commandText(
              createCommand({ namespace, name }, writtenSpec(retrySpec(request, hosts)), {
                [retryOfAnnotation]: metadata.name,
              }),
            )}
          />
        )}
      </div>
    </Dialog>
  )
}
