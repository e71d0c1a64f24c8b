import { waveEnds } from '@keelson/api'
import { IconAlertTriangle, IconPlugConnectedX, IconUserX } from '@tabler/icons-react'
import { useDeferredValue, useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { checkForm } from '../../../request-form/check-form.ts'
import { previewTargets } from '../../../request-form/target-preview.ts'
import type { RequestForm } from '../../../request-form/request-form.ts'
import { specOf } from '../../../request-form/spec-of-form.ts'
import { commandText } from '../../../kubectl/command.ts'
import { manifest, sendCommand } from '../../../kubectl/requests.ts'
import { useHosts } from '../../../live/use-live.ts'
import {
  Badge,
  Card,
  CopyButton,
  HostStateBadge,
  hostState,
  KubectlCommand,
  Loading,
  Notice,
} from '../../../ui/index.ts'

const namesShown = 12

/** Who would get the request if it were sent now, from the live hosts. */
export function PreviewCard({ form }: { readonly form: RequestForm }): ReactNode {
  const { t } = useTranslation()
  const { state, items } = useHosts()
  const wanted = useDeferredValue(form)
  const preview = useMemo(() => previewTargets(wanted, items), [wanted, items])
  const { sent, offline, silent, notTargeted, unknown } = preview
  const spec = useMemo(() => specOf(wanted), [wanted])
  const isNobodyChosen = spec === undefined
  const isPlanned = checkForm(wanted).every(({ field }) => field !== 'waves')
  const waves = isPlanned && sent.length > 0 ? waveEnds(sent.length, spec?.waves ?? ['100%']) : []
  if (state === 'Denied') return null
  return (
    <Card title={t('compose.preview.title')}>
      {state === 'Loading' ? (
        <Loading lines={2} />
      ) : (
        <div className="k-stack" aria-live="polite">
          {isNobodyChosen ? (
            <p className="k-muted k-flat">{t('compose.preview.nobody')}</p>
          ) : sent.length === 0 && offline.length === 0 ? (
            <Notice tone="warning" icon={IconUserX}>
              {t('compose.preview.nobodyMeant')}
            </Notice>
          ) : (
            <p className="k-headline k-flat">
              <span>{t('compose.preview.sent', { count: sent.length })}</span>{' '}
              <span className="k-muted">{t('compose.preview.ofAll', { total: items.length })}</span>
            </p>
          )}
          {waves.length > 1 && (
            <p className="k-muted k-flat">{t('compose.preview.waves', { ends: waves.join(' → ') })}</p>
          )}
          {unknown.length > 0 && (
            <Notice tone="bad" icon={IconAlertTriangle}>
              {t('compose.preview.unknown', { count: unknown.length })}
              <Names names={unknown} />
            </Notice>
          )}
          {offline.length > 0 && (
            <Notice tone="warning" icon={IconPlugConnectedX}>
              {t(`compose.preview.offline${wanted.onOffline}`, { count: offline.length })}
              <Names names={offline.map(({ name }) => name)} />
            </Notice>
          )}
          {silent.length > 0 && (
            <Notice tone="warning" icon={IconAlertTriangle}>
              {t('compose.preview.silent', { count: silent.length })}
              <Names names={silent.map(({ name }) => name)} />
            </Notice>
          )}
          {notTargeted.length > 0 && (
            <Notice>
              {t('compose.preview.notTargeted', { count: notTargeted.length })}
              <Names names={notTargeted} />
            </Notice>
          )}
          {sent.length > 0 && (
            <ul className="k-tags" aria-label={t('compose.preview.names')}>
              {sent.slice(0, namesShown).map((host) => (
                <li key={host.name} className="k-tag">
                  {host.name}
                  {hostState(host) !== 'Ready' && <HostStateBadge state={hostState(host)} />}
                </li>
              ))}
              {sent.length > namesShown && (
                <li className="k-muted">{t('compose.preview.more', { count: sent.length - namesShown })}</li>
              )}
            </ul>
          )}
          {state === 'Stale' && <Badge tone="warning">{t('compose.preview.stale')}</Badge>}
        </div>
      )}
    </Card>
  )
}

function Names({ names }: { readonly names: readonly string[] }): ReactNode {
  const { t } = useTranslation()
  const more = names.length - namesShown
  return (
    <div className="k-small">
      {names.slice(0, namesShown).join(', ')} {more > 0 && t('compose.preview.more', { count: more })}
    </div>
  )
}

/** The request as a person would write it, as it stands. */
export function ManifestCard({ form }: { readonly form: RequestForm }): ReactNode {
  const { t } = useTranslation()
  const wanted = useDeferredValue(form)
  const spec = useMemo(() => specOf(wanted), [wanted])
  if (spec === undefined) {
    return (
      <Card title={t('compose.manifest.title')}>
        <p className="k-muted k-flat">{t('compose.manifest.notYet')}</p>
      </Card>
    )
  }
  const text = manifest(wanted, spec)
  return (
    <Card title={t('compose.manifest.title')} actions={<CopyButton text={text} />}>
      <pre className="k-yaml" tabIndex={0} aria-label={t('compose.manifest.yaml')}>
        <code>{text}</code>
      </pre>
      <KubectlCommand command={commandText(sendCommand(wanted, spec))} />
    </Card>
  )
}
