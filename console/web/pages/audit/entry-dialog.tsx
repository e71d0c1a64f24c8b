import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { AuditEntry } from '../../../protocol/audit.ts'
import { formatMomentWithZone } from '../../time/format.ts'
import { useReading } from '../../time/use-reading.ts'
import { CopyButton, Dialog, Facts } from '../../ui/index.ts'
import { ActionName, ObjectName } from './audit-table.tsx'
import { AuditOutcomeBadge } from './outcome-badge.tsx'

/** All of one entry. */
export function EntryDialog({
  entry,
  onClose,
}: {
  readonly entry: AuditEntry | undefined
  readonly onClose: () => void
}): ReactNode {
  const { t } = useTranslation()
  const reading = useReading()
  const moment = (time: string | undefined) => (time === undefined ? '–' : formatMomentWithZone(time, reading))
  return (
    <Dialog
      size="wide"
      open={entry !== undefined}
      title={t('audit.entry', { sequence: entry?.sequence ?? 0 })}
      onClose={onClose}
    >
      {entry !== undefined && (
        <div className="k-stack">
          <Facts
            items={[
              [t('audit.columns.time'), moment(entry.time)],
              [t('audit.detail.finished'), moment(entry.finishedAt)],
              [t('audit.columns.actor'), entry.actor === '' ? t('audit.nobody') : entry.actor],
              [
                t('audit.columns.address'),
                <span key="address" className="k-mono">
                  {entry.address}
                </span>,
              ],
              [t('audit.columns.action'), <ActionName key="action" action={entry.action} />],
              [
                t('audit.detail.name'),
                <span key="name" className="k-mono">
                  {entry.action}
                </span>,
              ],
              [t('audit.columns.object'), <ObjectName key="object" object={entry.object} />],
              [t('audit.columns.outcome'), <AuditOutcomeBadge key="outcome" outcome={entry.outcome} />],
              [t('audit.detail.status'), String(entry.status ?? '–')],
            ]}
          />
          {entry.message !== '' && <Facts items={[[t('audit.detail.message'), entry.message]]} />}
          {entry.detail !== '' && (
            <div>
              <h3 className="k-small-heading">{t('audit.detail.asked')}</h3>
              <div className="k-code">
                <pre tabIndex={0} aria-label={t('audit.detail.asked')}>
                  <code>{indented(entry.detail)}</code>
                </pre>
                <CopyButton text={indented(entry.detail)} />
              </div>
            </div>
          )}
        </div>
      )}
    </Dialog>
  )
}

/** JSON that was cut off is shown as it is. */
function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2)
  } catch {
    return json
  }
}
