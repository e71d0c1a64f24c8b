import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { parameterRow, withParameter, type Preset } from '../../../request-form/presets.ts'
import { Notice, Select, TextInput } from '../../../ui/index.ts'
import { useEditing, type Editing } from './editing.tsx'
import { ParameterRows, TypedInstead } from './parameter-rows.tsx'

const states = ['started', 'stopped', 'restarted', 'reloaded'] as const

/** The fields of a type of the agent, over the same parameters that the free form shows as rows. */
export function PresetFields({ preset }: { readonly preset: Preset }): ReactNode {
  const { t } = useTranslation()
  const editing = useEditing()
  const { form } = editing
  switch (preset.name) {
    case 'sysctl':
      if (form.method === 'POST')
        return (
          <ParameterRows
            legend={t('compose.what.parameters')}
            hint={t('compose.what.sysctlExample', { example: 'net.ipv4.ip_forward' })}
          />
        )
      return (
        <OneParameter
          parameter="key"
          label={t('compose.what.key')}
          placeholder="net.ipv4.ip_forward"
          editing={editing}
        />
      )
    case 'systemdUnit':
      return (
        <>
          <OneParameter
            parameter="name"
            label={t('compose.what.unit')}
            hint={t('compose.what.unitHint')}
            placeholder="nginx.service"
            editing={editing}
          />
          {form.method === 'POST' && <UnitChange editing={editing} />}
        </>
      )
    case 'hostname':
      if (form.method === 'GET') return <Notice>{t('compose.what.noParameters')}</Notice>
      return (
        <OneParameter
          parameter="static"
          label={t('compose.what.newName')}
          hint={t('compose.what.newNameHint')}
          editing={editing}
        />
      )
    case 'facts':
      return <Notice>{t('compose.what.noParameters')}</Notice>
  }
}

interface OneParameterProps {
  readonly parameter: string
  readonly label: string
  readonly hint?: string
  readonly placeholder?: string
  readonly editing: Editing
}

function OneParameter({ parameter, label, hint, placeholder, editing }: OneParameterProps): ReactNode {
  const { form, change, errorAt } = editing
  const index = form.parameters.findIndex(({ key }) => key === parameter)
  const field = `parameters.${index}.value` as const
  return (
    <div>
      <TextInput
        label={label}
        {...(hint === undefined ? {} : { hint })}
        {...(placeholder === undefined ? {} : { placeholder })}
        monospace
        value={parameterRow(form, parameter)?.value ?? ''}
        error={index < 0 ? errorAt('parameters') : (errorAt(field) ?? errorAt(`parameters.${index}.key`))}
        onChange={(value) => change(withParameter(form, parameter, value))}
      />
      {index >= 0 && <TypedInstead field={field} />}
    </div>
  )
}

function UnitChange({ editing }: { readonly editing: Editing }): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = editing
  const set = (parameter: string, value: string) =>
    change(withParameter(form, parameter, value === '' ? undefined : value))
  const leave = { value: '', label: t('compose.what.leave') }
  return (
    <div>
      <div className="k-pair">
        <Select
          label={t('compose.what.unitState')}
          value={parameterRow(form, 'state')?.value ?? ''}
          onChange={(value) => set('state', value)}
          options={[leave, ...states.map((value) => ({ value: value as string, label: t(`compose.what.${value}`) }))]}
        />
        <Select
          label={t('compose.what.enabled')}
          value={parameterRow(form, 'enabled')?.value ?? ''}
          onChange={(value) => set('enabled', value)}
          options={[
            leave,
            { value: 'true', label: t('compose.what.enabledTrue') },
            { value: 'false', label: t('compose.what.enabledFalse') },
          ]}
        />
      </div>
      <div className="k-field-error" aria-live="polite">
        {errorAt('parameters')}
      </div>
    </div>
  )
}
