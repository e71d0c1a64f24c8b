import { IconListDetails } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { AuditEntry } from '../../../protocol/audit.ts'
import { Button, Moment, Table } from '../../ui/index.ts'
import { actions, pageOfObject } from './audit-view.ts'
import { AuditOutcomeBadge } from './outcome-badge.tsx'

/** What an action is called; one of a newer console by its own name. */
export function ActionName({ action }: Pick<AuditEntry, 'action'>): ReactNode {
  const { t } = useTranslation()
  const known = actions.find((each) => each === action)
  return known === undefined ? <span className="k-mono">{action}</span> : t(`audit.actions.${known}`)
}

/** What an entry is about, as a link where a page shows it. */
export function ObjectName({ object }: Pick<AuditEntry, 'object'>): ReactNode {
  const page = pageOfObject(object)
  return page === undefined ? (
    <span className="k-mono">{object}</span>
  ) : (
    <Link to={page} className="k-mono">
      {object}
    </Link>
  )
}

interface AuditTableProps {
  readonly entries: readonly AuditEntry[]
  readonly onOpen: (entry: AuditEntry) => void
}

export function AuditTable({ entries, onOpen }: AuditTableProps): ReactNode {
  const { t } = useTranslation()
  return (
    <Table
      label={t('audit.title')}
      rows={entries}
      rowKey={({ sequence }) => String(sequence)}
      columns={[
        {
          key: 'time',
          header: t('audit.columns.time'),
          narrow: true,
          render: ({ time }) => <Moment time={time} />,
        },
        {
          key: 'actor',
          header: t('audit.columns.actor'),
          narrow: true,
          render: ({ actor }) => (actor === '' ? <span className="k-muted">{t('audit.nobody')}</span> : actor),
        },
        {
          key: 'action',
          header: t('audit.columns.action'),
          render: ({ action }) => <ActionName action={action} />,
        },
        {
          key: 'object',
          header: t('audit.columns.object'),
          render: ({ object }) => <ObjectName object={object} />,
        },
        {
          key: 'outcome',
          header: t('audit.columns.outcome'),
          narrow: true,
          render: ({ outcome }) => <AuditOutcomeBadge outcome={outcome} />,
        },
        {
          key: 'address',
          header: t('audit.columns.address'),
          narrow: true,
          render: ({ address }) => <span className="k-mono k-muted">{address}</span>,
        },
        {
          key: 'details',
          header: t('audit.columns.details'),
          narrow: true,
          align: 'end',
          render: (entry) => (
            <Button
              size="small"
              variant="ghost"
              icon={<IconListDetails aria-hidden />}
              aria-label={t('audit.open', { sequence: entry.sequence })}
              onClick={() => onOpen(entry)}
            />
          ),
        },
      ]}
    />
  )
}
