import type { ReactNode } from 'react'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { outcomes } from '../../../protocol/audit.ts'
import { useReading } from '../../time/use-reading.ts'
import { instantOfWallClock, wallClockOf } from '../../time/wall-clock.ts'
import { Select, TextInput, useSearchText } from '../../ui/index.ts'
import { actions, type AuditView } from './audit-view.ts'

type Change = Partial<Record<keyof AuditView, string>>

interface AuditFiltersProps {
  readonly view: AuditView
  readonly onChange: (change: Change) => void
}

export function AuditFilters({ view, onChange }: AuditFiltersProps): ReactNode {
  const { t } = useTranslation()
  const { timeZone } = useReading()
  const zone = timeZone === '' ? new Intl.DateTimeFormat().resolvedOptions().timeZone : timeZone
  const setActor = useCallback((actor: string) => onChange({ actor }), [onChange])
  const setObject = useCallback((object: string) => onChange({ object }), [onChange])
  const [actor, typeActor] = useSearchText(view.actor ?? '', setActor)
  const [object, typeObject] = useSearchText(view.object ?? '', setObject)
  const any = { value: '', label: t('audit.any') }
  const time = (key: 'from' | 'to') => {
    const value = view[key]
    return (
      <TextInput
        type="datetime-local"
        label={t(`audit.filters.${key}`)}
        value={value === undefined ? '' : wallClockOf(value, timeZone)}
        title={t('audit.timeZoneHint', { zone })}
        onChange={(wall) => onChange({ [key]: instantOfWallClock(wall, timeZone) ?? '' })}
      />
    )
  }
  return (
    <div className="k-audit-filters" role="search" aria-label={t('audit.title')}>
      <TextInput label={t('audit.filters.actor')} value={actor} onChange={typeActor} autoCapitalize="none" />
      <Select
        label={t('audit.filters.action')}
        value={actions.find((action) => action === view.action) ?? ''}
        onChange={(action) => onChange({ action })}
        options={[any, ...actions.map((action) => ({ value: action, label: t(`audit.actions.${action}`) }))]}
      />
      <TextInput
        label={t('audit.filters.object')}
        value={object}
        placeholder={t('audit.objectHint')}
        onChange={typeObject}
        monospace
      />
      <Select
        label={t('audit.filters.outcome')}
        value={view.outcome ?? ''}
        onChange={(outcome) => onChange({ outcome })}
        options={[any, ...outcomes.map((outcome) => ({ value: outcome, label: t(`audit.outcomes.${outcome}`) }))]}
      />
      {time('from')}
      {time('to')}
    </div>
  )
}
