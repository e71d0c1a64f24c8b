import { IconFlask, IconListDetails, IconPlayerPause, IconPlus, IconSearchOff } from '@tabler/icons-react'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { TFunction } from 'i18next'
import type { RequestRow } from '../../../protocol/requests.ts'
import { useRequests } from '../../live/use-live.ts'
import {
  Ago,
  Badge,
  Button,
  Choice,
  Empty,
  Grid,
  LinkButton,
  Loading,
  NoPermission,
  OutcomeBar,
  Page,
  RunStateBadge,
  SearchInput,
  Select,
  TextLink,
  useSearchText,
  type GridColumn,
} from '../../ui/index.ts'
import {
  countStates,
  namespacesOf,
  requestsViewOf,
  runStates,
  shownRequests,
  stateOf,
  type RequestsView,
  type SortKey,
} from './list-requests.ts'

const route = getRouteApi('/app/requests')

/** Every HostRequest that the person may see, live. */
export function RequestsPage(): ReactNode {
  const { t } = useTranslation()
  const { state, items, problem } = useRequests()
  return (
    <Page
      fill
      title={t('requests.title')}
      subtitle={t('requests.subtitle')}
      actions={
        <LinkButton to="/requests/new" variant="primary" icon={<IconPlus aria-hidden />}>
          {t('requests.new')}
        </LinkButton>
      }
    >
      {state === 'Denied' ? (
        <NoPermission needs="list hostrequests.keelson.dev" {...(problem === undefined ? {} : { error: problem })} />
      ) : state === 'Loading' ? (
        <Loading lines={8} />
      ) : items.length === 0 ? (
        <Empty
          icon={IconListDetails}
          title={t('requests.empty.title')}
          action={
            <LinkButton to="/requests/new" variant="primary" icon={<IconPlus aria-hidden />}>
              {t('requests.new')}
            </LinkButton>
          }
        >
          {t('requests.empty.hint')}
        </Empty>
      ) : (
        <RequestList rows={items} />
      )}
    </Page>
  )
}

function RequestList({ rows }: { readonly rows: readonly RequestRow[] }): ReactNode {
  const { t, i18n } = useTranslation()
  const navigate = useNavigate()
  const view = route.useSearch()
  const wanted = useDeferredValue(view)
  const shown = useMemo(() => shownRequests(rows, wanted), [rows, wanted])
  const counts = useMemo(() => countStates(rows, wanted), [rows, wanted])
  const namespaces = useMemo(() => namespacesOf(rows), [rows])
  const columns = useMemo(() => columnsOf(t), [t])
  const show = (next: RequestsView) => void navigate({ to: '/requests', search: next, replace: true })
  const settle = useCallback(
    (q: string) =>
      void navigate({
        to: '/requests',
        search: (before) => requestsViewOf({ ...before, q }),
        replace: true,
      }),
    [navigate],
  )
  const [text, setText] = useSearchText(view.q ?? '', settle)
  const { state: _, ...anyState } = view
  const { namespace: _1, ...anyNamespace } = view
  return (
    <>
      <div className="k-toolbar">
        <SearchInput label={t('requests.search')} value={text} onChange={setText} />
        <Choice
          legend={t('requests.state')}
          legendHidden
          look="segments"
          value={view.state ?? 'ANY'}
          onChange={(state) => show(state === 'ANY' ? anyState : { ...view, state })}
          options={[
            { value: 'ANY' as const, label: t('requests.any') },
            ...runStates.map((state) => ({
              value: state,
              label: (
                <>
                  {t(`common.run.${state}`)}{' '}
                  <span className="k-number">{(counts.get(state) ?? 0).toLocaleString(i18n.language)}</span>
                </>
              ),
            })),
          ]}
        />
        {(namespaces.length > 1 || view.namespace !== undefined) && (
          <Select
            label={t('requests.namespace')}
            labelHidden
            value={view.namespace ?? ''}
            onChange={(namespace) => show(namespace === '' ? anyNamespace : { ...view, namespace })}
            options={[
              { value: '', label: t('requests.allNamespaces') },
              ...[...new Set([...namespaces, ...(view.namespace === undefined ? [] : [view.namespace])])].map(
                (name) => ({
                  value: name,
                  label: name,
                }),
              ),
            ]}
          />
        )}
        <span className="k-muted k-small k-toolbar-end" role="status">
          {t('common.rowsShown', { shown: shown.length, total: rows.length })}
        </span>
      </div>
      {shown.length === 0 ? (
        <Empty
          icon={IconSearchOff}
          title={t('requests.nothingFound.title')}
          action={
            <Button
              onClick={() => {
                setText('')
                show({})
              }}
            >
              {t('requests.nothingFound.clear')}
            </Button>
          }
        >
          {t('requests.nothingFound.hint')}
        </Empty>
      ) : (
        <Grid
          label={t('requests.grid')}
          rows={shown}
          rowKey={keyOf}
          columns={columns}
          sort={{ key: view.sort ?? 'created', descending: (view.order ?? defaultOrder(view.sort)) === 'descending' }}
          onSort={({ key, descending }) =>
            show({ ...view, sort: key as SortKey, order: descending ? 'descending' : 'ascending' })
          }
          onOpen={({ namespace, name }) =>
            void navigate({ to: '/requests/$namespace/$name', params: { namespace, name } })
          }
        />
      )}
    </>
  )
}

function defaultOrder(sort: SortKey = 'created'): 'ascending' | 'descending' {
  return sort === 'created' ? 'descending' : 'ascending'
}

function keyOf({ namespace, name }: RequestRow): string {
  return `${namespace}/${name}`
}

function columnsOf(t: TFunction): readonly GridColumn<RequestRow>[] {
  return [
    {
      key: 'name',
      header: t('requests.column.name'),
      width: 'minmax(15rem, 2.5fr)',
      sortable: true,
      render: ({ namespace, name, suspend, state }) => (
        <>
          <TextLink href={`/requests/${namespace}/${name}`}>
            <span className="k-muted">{namespace}/</span>
            {name}
          </TextLink>
          {suspend && state !== 'PAUSED' && <Badge icon={IconPlayerPause}>{t('requests.suspended')}</Badge>}
        </>
      ),
    },
    {
      key: 'state',
      header: t('requests.column.state'),
      width: '8rem',
      sortable: true,
      render: (row) => <RunStateBadge state={stateOf(row)} />,
    },
    {
      key: 'request',
      header: t('requests.column.request'),
      width: 'minmax(10rem, 1.3fr)',
      render: ({ method, port, api }) => (
        <span className="k-mono" title={`${method} :${port}${api}`}>
          {method} :{port}
          {api}
        </span>
      ),
    },
    {
      key: 'progress',
      header: t('requests.column.progress'),
      width: '13rem',
      render: ({ name, counts, progress, dryRun }) =>
        dryRun ? (
          <>
            <Badge icon={IconFlask}>{t('requests.dryRun')}</Badge>
            <span className="k-muted">{t('common.counts.hosts', { count: counts.targets })}</span>
          </>
        ) : (
          <span className="k-progress-cell">
            <OutcomeBar counts={counts} label={t('requests.progressOf', { name })} />
            <span className="k-progress-text">{progress}</span>
          </span>
        ),
    },
    {
      key: 'result',
      header: t('requests.column.result'),
      width: 'minmax(12rem, 3fr)',
      render: (row) => <Result row={row} />,
    },
    {
      key: 'created',
      header: t('requests.column.created'),
      width: '8.5rem',
      sortable: true,
      render: ({ createdAt }) => <Ago time={createdAt} />,
    },
  ]
}

/** Why hosts failed, else where the run is, else what the operator says. */
function Result({ row }: { readonly row: RequestRow }): ReactNode {
  const { t } = useTranslation()
  const { reasons, msg, state, wave, waves, round } = row
  if (reasons.length > 0) {
    return (
      <span title={msg}>
        {reasons.map(({ reason, count }) => (
          <Badge key={reason} tone="bad">
            {t('requests.reason', { reason, count })}
          </Badge>
        ))}
      </span>
    )
  }
  if (state !== 'RUNNING') return <span title={msg}>{msg}</span>
  const place = [
    ...(waves > 1 ? [t('requests.wave', { wave: wave + 1, waves })] : []),
    ...(round > 0 ? [t('requests.round', { round })] : []),
  ]
  return <span title={msg}>{place.length === 0 ? msg : place.join(' · ')}</span>
}
