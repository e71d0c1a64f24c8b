import { IconFilterOff, IconLayoutGrid, IconList, IconSend, IconServerOff, IconX } from '@tabler/icons-react'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useCallback, useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { HostRow } from '../../../protocol/hosts.ts'
import { useHosts } from '../../live/use-live.ts'
import { useMayCompose } from '../../session/session.ts'
import {
  Button,
  Choice,
  Empty,
  Grid,
  LinkButton,
  Loading,
  NoPermission,
  Page,
  SearchInput,
  useSearchText,
  type GridSort,
} from '../../ui/index.ts'
import { FacetMenu } from './facet-menu.tsx'
import { HostTiles } from './host-tiles.tsx'
import { facets, hostsViewOf, showHosts, sortKeys, toggled, type Facet, type HostsView } from './hosts-view.ts'
import { SelectionBar } from './selection-bar.tsx'
import { useFacetLabel } from './use-facet-label.ts'
import { useHostColumns } from './use-host-columns.tsx'

const route = getRouteApi('/app/hosts')
const rowKey = ({ name }: HostRow) => name

/** All hosts, narrowed by what the address says. */
export function HostsPage(): ReactNode {
  const { t } = useTranslation()
  const { state, items, problem } = useHosts()
  const view = route.useSearch()
  const mayCompose = useMayCompose()
  const shown = useMemo(() => showHosts(items, view), [items, view])
  const count = t('hosts.shown', { shown: shown.rows.length, total: items.length })
  const isHeld = state === 'Live' || state === 'Stale'
  return (
    <Page
      fill
      title={t('hosts.title')}
      badge={isHeld && items.length > 0 && <span className="k-muted k-count">{count}</span>}
      actions={
        mayCompose && (
          <LinkButton to="/requests/new" icon={<IconSend aria-hidden />}>
            {t('hosts.compose')}
          </LinkButton>
        )
      }
    >
      {state === 'Loading' && <Loading lines={12} />}
      {state === 'Denied' && <NoPermission needs="list hosts.keelson.dev" {...(problem && { error: problem })} />}
      {isHeld && items.length === 0 && (
        <Empty icon={IconServerOff} title={t('hosts.empty')}>
          {t('hosts.emptyHint')}
        </Empty>
      )}
      {isHeld && items.length > 0 && <HostsContent items={items} view={view} shown={shown} />}
    </Page>
  )
}

interface HostsContentProps {
  readonly items: readonly HostRow[]
  readonly view: HostsView
  readonly shown: ReturnType<typeof showHosts>
}

function HostsContent({ items, view, shown }: HostsContentProps): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  const columns = useHostColumns()
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const show = useCallback(
    (change: (view: HostsView) => HostsView) =>
      void router.navigate({ to: '/hosts', search: (before) => change(hostsViewOf(before)), replace: true }),
    [router],
  )
  const settle = useCallback((q: string) => show((before) => hostsViewOf({ ...before, q })), [show])
  const [text, setText] = useSearchText(view.q ?? '', settle)
  const toggle = (facet: Facet, value: string) => show((before) => toggled(before, facet, value))
  const open = (name: string) => void router.navigate({ to: '/hosts/$name', params: { name } })
  const sort: GridSort = { key: view.sort ?? 'name', descending: view.order === 'descending' }
  const isTiles = view.view === 'tiles'
  return (
    <>
      <div className="k-toolbar">
        <SearchInput label={t('hosts.search')} placeholder={t('hosts.searchHint')} value={text} onChange={setText} />
        <div className="k-row">
          {facets.map((facet) => (
            <FacetMenu key={facet} facet={facet} view={view} counts={shown.counts[facet]} onToggle={toggle} />
          ))}
        </div>
        <div className="k-toolbar-end">
          <Choice
            legend={t('hosts.view')}
            legendHidden
            look="segments"
            value={isTiles ? 'tiles' : 'grid'}
            onChange={(next) => show((before) => hostsViewOf({ ...before, view: next }))}
            options={[
              {
                value: 'grid',
                label: (
                  <>
                    <IconList aria-hidden size={16} /> {t('hosts.views.grid')}
                  </>
                ),
              },
              {
                value: 'tiles',
                label: (
                  <>
                    <IconLayoutGrid aria-hidden size={16} /> {t('hosts.views.tiles')}
                  </>
                ),
              },
            ]}
          />
        </div>
      </div>
      <Chips view={view} onToggle={toggle} onClear={() => show(({ view: look }) => hostsViewOf({ view: look }))} />
      {selected.size > 0 && (
        <SelectionBar items={items} shown={shown.rows} selected={selected} onClear={() => setSelected(new Set())} />
      )}
      {shown.rows.length === 0 ? (
        <Empty
          icon={IconFilterOff}
          title={t('hosts.noMatch')}
          action={
            <Button
              onClick={() => {
                setText('')
                show(({ view: look }) => hostsViewOf({ view: look }))
              }}
            >
              {t('common.clearAll')}
            </Button>
          }
        >
          {t('hosts.noMatchHint', { count: items.length })}
        </Empty>
      ) : isTiles ? (
        <HostTiles rows={shown.rows} selected={selected} onSelect={setSelected} onOpen={open} />
      ) : (
        <Grid
          label={t('hosts.title')}
          rows={shown.rows}
          rowKey={rowKey}
          columns={columns}
          sort={sort}
          onSort={({ key, descending }) => {
            const order = descending ? 'descending' : undefined
            show((before) => hostsViewOf({ ...before, sort: sortKeys.find((each) => each === key), order }))
          }}
          selected={selected}
          onSelect={setSelected}
          onOpen={({ name }) => open(name)}
        />
      )}
    </>
  )
}

interface ChipsProps {
  readonly view: HostsView
  readonly onToggle: (facet: Facet, value: string) => void
  readonly onClear: () => void
}

/** What narrows the hosts, each to be taken away. */
function Chips({ view, onToggle, onClear }: ChipsProps): ReactNode {
  const { t } = useTranslation()
  const labelOf = useFacetLabel()
  const chips = facets.flatMap((facet) => (view[facet] ?? []).map((value) => [facet, value] as const))
  if (chips.length === 0) return null
  return (
    <div className="k-row k-chips">
      {chips.map(([facet, value]) => {
        const text = `${t(`hosts.facets.${facet}`)}: ${labelOf(facet, value)}`
        return (
          <button
            key={`${facet} ${value}`}
            type="button"
            className="k-chip"
            aria-label={t('hosts.removeFilter', { filter: text })}
            onClick={() => onToggle(facet, value)}
          >
            {text} <IconX aria-hidden size={14} />
          </button>
        )
      })}
      <Button size="small" variant="ghost" onClick={onClear}>
        {t('common.clearAll')}
      </Button>
    </div>
  )
}
