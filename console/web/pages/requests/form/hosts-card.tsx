import { IconTag, IconWorld, IconX } from '@tabler/icons-react'
import { useMemo, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { HostRow } from '../../../../protocol/hosts.ts'
import { labelsOf } from '../../../request-form/target-preview.ts'
import { useHosts } from '../../../live/use-live.ts'
import {
  Button,
  Card,
  Choice,
  Grid,
  HostStateBadge,
  hostState,
  Loading,
  Notice,
  SearchInput,
  TextArea,
  TextInput,
  type GridColumn,
} from '../../../ui/index.ts'
import { useEditing } from './editing.tsx'

/** Who gets the request: a choice of three, and the role. */
export function HostsCard(): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  const { state, items } = useHosts()
  return (
    <Card title={t('compose.hosts.title')}>
      <div className="k-stack">
        <Choice
          legend={t('compose.hosts.choice')}
          legendHidden
          look="segments"
          value={form.who}
          onChange={(who) => change({ who })}
          options={(['Names', 'Labels', 'Every'] as const).map((value) => ({
            value,
            label: t(`compose.hosts.${value}`),
          }))}
        />
        {state === 'Denied' && <Notice tone="warning">{t('compose.hosts.denied')}</Notice>}
        {form.who === 'Names' && (
          <>
            {state === 'Loading' ? <Loading /> : state === 'Denied' ? <HostNames /> : <HostPicker hosts={items} />}
            <HostsProblem />
            {form.selector !== '' && (
              <TextInput
                label={t('compose.hosts.narrow')}
                monospace
                value={form.selector}
                error={errorAt('selector')}
                onChange={(selector) => change({ selector })}
              />
            )}
          </>
        )}
        {form.who === 'Labels' && <LabelPicker hosts={items} />}
        {form.who === 'Every' && (
          <>
            <Notice tone="warning" icon={IconWorld}>
              {t('compose.hosts.everyNotice')}
            </Notice>
            <HostsProblem />
          </>
        )}
        <Choice
          legend={t('compose.hosts.role')}
          look="segments"
          value={form.targetType}
          onChange={(targetType) => change({ targetType })}
          options={(['All', 'ControlPlane', 'Worker'] as const).map((value) => ({
            value,
            label: value === 'All' ? t('compose.hosts.anyRole') : t(`common.role.${value}`),
          }))}
        />
      </div>
    </Card>
  )
}

/** No field of its own bears this: whoever is led to what is wrong is led here. */
function HostsProblem(): ReactNode {
  const { errorAt } = useEditing()
  const error = errorAt('hosts')
  if (error === undefined) return null
  return (
    <div className="k-field-error k-problem" role="alert" tabIndex={-1}>
      {error}
    </div>
  )
}

/** For whoever may not list hosts and has a right on some all the same: he knows their names. */
function HostNames(): ReactNode {
  const { t } = useTranslation()
  const { form, change } = useEditing()
  const [text, setText] = useState(() => form.names.join('\n'))
  return (
    <TextArea
      label={t('compose.hosts.names')}
      hint={t('compose.hosts.namesHint')}
      monospace
      rows={4}
      value={text}
      onChange={(typed) => {
        setText(typed)
        change({ names: [...new Set(typed.split(/[\s,]+/).filter((name) => name !== ''))] })
      }}
    />
  )
}

/** Hosts by name, with those that are named and gone. */
function HostPicker({ hosts }: { readonly hosts: readonly HostRow[] }): ReactNode {
  const { t } = useTranslation()
  const { form, change } = useEditing()
  const [text, setText] = useState('')
  const shown = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/)
    return hosts.filter((host) => {
      const known = [host.name, host.address, ...Object.entries(host.labels).map(([key, value]) => `${key}=${value}`)]
      return words.every((word) => known.some((one) => one.toLowerCase().includes(word)))
    })
  }, [hosts, text])
  const selected = useMemo(() => new Set(form.names), [form.names])
  const there = useMemo(() => new Set(hosts.map(({ name }) => name)), [hosts])
  const gone = hosts.length === 0 ? [] : form.names.filter((name) => !there.has(name))
  const columns = useMemo<readonly GridColumn<HostRow>[]>(
    () => [
      {
        key: 'name',
        header: t('common.name'),
        width: 'minmax(10rem, 2fr)',
        render: ({ name }) => <span title={name}>{name}</span>,
      },
      {
        key: 'state',
        header: t('requests.state'),
        width: '8.5rem',
        render: (host) => <HostStateBadge state={hostState(host)} />,
      },
      {
        key: 'role',
        header: t('compose.hosts.role'),
        width: 'minmax(7rem, 1fr)',
        render: ({ role }) => <span>{t(`common.role.${role}`)}</span>,
      },
      {
        key: 'address',
        header: t('compose.hosts.address'),
        width: 'minmax(8rem, 1fr)',
        render: ({ address }) => <span className="k-mono">{address}</span>,
      },
    ],
    [t],
  )
  if (hosts.length === 0 && form.names.length === 0) return <Notice>{t('compose.hosts.none')}</Notice>
  const isEveryShown = shown.length > 0 && shown.every(({ name }) => selected.has(name))
  const choose = (next: ReadonlySet<string>) => {
    // What is not seen at the moment stays as it is.
    const hidden = form.names.filter((name) => !shown.some((host) => host.name === name))
    change({ names: [...hidden, ...shown.map(({ name }) => name).filter((name) => next.has(name))] })
  }
  return (
    <>
      <div className="k-toolbar">
        <SearchInput label={t('compose.hosts.search')} value={text} onChange={setText} />
        <Button
          size="small"
          onClick={() => choose(isEveryShown ? new Set() : new Set(shown.map(({ name }) => name)))}
          disabled={shown.length === 0}
        >
          {isEveryShown ? t('compose.hosts.unselectShown') : t('compose.hosts.selectShown', { count: shown.length })}
        </Button>
        {form.names.length > 0 && (
          <Button size="small" variant="ghost" onClick={() => change({ names: [] })}>
            {t('compose.hosts.unselectAll')}
          </Button>
        )}
        <span className="k-muted k-small k-toolbar-end" role="status">
          {t('common.selected', { count: form.names.length })}
        </span>
      </div>
      {gone.length > 0 && (
        <ul className="k-tags">
          {gone.slice(0, 20).map((name) => (
            <li key={name} className="k-tag k-tone-bad">
              {t('compose.hosts.gone', { name })}
              <button
                type="button"
                className="k-tag-button"
                aria-label={t('compose.hosts.removeGone', { name })}
                onClick={() => change({ names: form.names.filter((other) => other !== name) })}
              >
                <IconX aria-hidden size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {shown.length === 0 ? (
        <Notice>{t('compose.hosts.nothingFound')}</Notice>
      ) : (
        <div className="k-picker">
          <Grid
            label={t('compose.hosts.list')}
            rows={shown}
            rowKey={nameOf}
            columns={columns}
            selected={selected}
            onSelect={choose}
          />
        </div>
      )}
    </>
  )
}

function nameOf({ name }: HostRow): string {
  return name
}

const offeredLabels = 12

function LabelPicker({ hosts }: { readonly hosts: readonly HostRow[] }): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  const labels = useMemo(() => labelsOf(hosts), [hosts])
  const parts = form.selector.split(',').map((part) => part.trim())
  const offered = labels.filter(({ key, value }) => !parts.includes(`${key}=${value}`)).slice(0, offeredLabels)
  const add = (label: string) => change({ selector: [...parts.filter((part) => part !== ''), label].join(',') })
  return (
    <>
      <TextInput
        label={t('compose.hosts.selector')}
        hint={t('compose.hosts.selectorHint', { example: 'zone=a,tier in (x,y),!spare' })}
        monospace
        value={form.selector}
        error={errorAt('selector') ?? errorAt('hosts')}
        onChange={(selector) => change({ selector })}
      />
      {offered.length > 0 && (
        <div role="group" aria-label={t('compose.hosts.common')}>
          <div className="k-muted k-small">{t('compose.hosts.common')}</div>
          <ul className="k-tags">
            {offered.map(({ key, value, count }) => (
              <li key={`${key}=${value}`}>
                <button
                  type="button"
                  className="k-tag k-tag-action"
                  title={t('compose.hosts.addLabel', { label: `${key}=${value}`, count })}
                  onClick={() => add(`${key}=${value}`)}
                >
                  <IconTag aria-hidden size={14} />
                  <span className="k-mono">
                    {key}={value}
                  </span>
                  <span className="k-number">{count}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  )
}
