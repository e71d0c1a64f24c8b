import { IconDownload, IconFilterOff, IconHistory, IconRefresh } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useCallback, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { exportAudit, listAudit, type AuditEntry } from '../../../protocol/audit.ts'
import { addressOf, call } from '../../call.ts'
import { problemOf } from '../../problem-error.ts'
import { Button, Card, Empty, ErrorPanel, Loading, Menu, NoPermission, Page } from '../../ui/index.ts'
import { AuditFilters } from './audit-filters.tsx'
import { AuditTable } from './audit-table.tsx'
import { auditViewOf, type AuditView } from './audit-view.ts'
import { EntryDialog } from './entry-dialog.tsx'
import '../../styles/audit.css'

const route = getRouteApi('/app/audit')
const pageSize = 50

/** Who did what: entries that the filters in the address show, a page at a time. */
export function AuditPage(): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  const view = route.useSearch()
  const [open, setOpen] = useState<AuditEntry>()
  const entries = useInfiniteQuery({
    queryKey: ['audit', view],
    queryFn: ({ pageParam, signal }) => {
      const before = pageParam === undefined ? {} : { before: pageParam }
      return call(listAudit, { query: { ...view, ...before, limit: pageSize } }, signal)
    },
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ entries: page, more }) => (more ? page.at(-1)?.sequence : undefined),
  })
  const show = useCallback(
    (change: Readonly<Record<keyof AuditView, string>> | Partial<Record<keyof AuditView, string>>) =>
      void router.navigate({
        to: '/audit',
        search: (before) => auditViewOf({ ...auditViewOf(before), ...change }),
        replace: true,
      }),
    [router],
  )
  const rows = entries.data?.pages.flatMap((page) => page.entries) ?? []
  const isNarrowed = Object.keys(view).length > 0
  if (entries.isError && problemOf(entries.error).status === 403) {
    return (
      <Page title={t('audit.title')}>
        <Card>
          <NoPermission needs={t('audit.needs')} error={problemOf(entries.error)} />
        </Card>
      </Page>
    )
  }
  return (
    <Page
      title={t('audit.title')}
      subtitle={t('audit.subtitle')}
      actions={
        <>
          <Button
            icon={<IconRefresh aria-hidden />}
            busy={entries.isFetching && !entries.isPending}
            onClick={() => void entries.refetch()}
          >
            {t('common.refresh')}
          </Button>
          <ExportMenu view={view} />
        </>
      }
    >
      <AuditFilters view={view} onChange={show} />
      <Card flush>
        {entries.isPending && <Loading lines={10} />}
        {entries.isError && entries.data === undefined && (
          <ErrorPanel error={entries.error} onRetry={() => void entries.refetch()} />
        )}
        {entries.isSuccess && rows.length === 0 && isNarrowed && (
          <Empty
            icon={IconFilterOff}
            title={t('audit.noMatch')}
            action={
              <Button onClick={() => void router.navigate({ to: '/audit', search: {} })}>{t('common.clearAll')}</Button>
            }
          >
            {t('audit.noMatchHint')}
          </Empty>
        )}
        {entries.isSuccess && rows.length === 0 && !isNarrowed && (
          <Empty icon={IconHistory} title={t('audit.empty')}>
            {t('audit.emptyHint')}
          </Empty>
        )}
        {rows.length > 0 && <AuditTable entries={rows} onOpen={setOpen} />}
      </Card>
      {rows.length > 0 && (
        <div className="k-row k-audit-end">
          <span className="k-muted">{t('audit.shown', { count: rows.length })}</span>
          {entries.hasNextPage && (
            <Button busy={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
              {t('audit.older')}
            </Button>
          )}
        </div>
      )}
      <EntryDialog entry={open} onClose={() => setOpen(undefined)} />
    </Page>
  )
}

/** Links, so that the browser saves the file as it comes. */
function ExportMenu({ view }: { readonly view: AuditView }): ReactNode {
  const { t } = useTranslation()
  const formats = [
    ['csv', t('audit.exportCsv')],
    ['ndjson', t('audit.exportNdjson')],
  ] as const
  return (
    <Menu
      align="end"
      button={
        <>
          <IconDownload aria-hidden /> {t('audit.export')}
        </>
      }
    >
      {(close) => (
        <>
          {formats.map(([format, text]) => (
            <a
              key={format}
              className="k-menu-item"
              href={addressOf(exportAudit, {}, { ...view, format })}
              download
              onClick={close}
            >
              {text}
            </a>
          ))}
          <div className="k-menu-note k-muted">{t('audit.exportHint')}</div>
        </>
      )}
    </Menu>
  )
}
