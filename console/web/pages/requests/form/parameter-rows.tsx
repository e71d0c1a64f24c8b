import { agentPort } from '@keelson/api'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { checkForm } from '../../../request-form/check-form.ts'
import { emptyParameter, type FormField, type ParameterRow } from '../../../request-form/request-form.ts'
import { Button, Select, TextInput } from '../../../ui/index.ts'
import { useEditing } from './editing.tsx'

interface ParameterRowsProps {
  readonly legend: string
  readonly hint: string
}

/** Keys and values, each checked as it is typed. */
export function ParameterRows({ legend, hint }: ParameterRowsProps): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  const { parameters } = form
  const replace = (at: number, row: ParameterRow) =>
    change({ parameters: parameters.map((one, index) => (index === at ? row : one)) })
  return (
    <fieldset className="k-choice">
      <legend className="form-label">{legend}</legend>
      <div className="k-muted k-small">{hint}</div>
      <div className="k-parameters">
        {parameters.map((row, index) => (
          // A row has no identity but its place.
          <OneRow
            key={index}
            index={index}
            row={row}
            onChange={(next) => replace(index, next)}
            onRemove={() => change({ parameters: parameters.filter((_, other) => other !== index) })}
          />
        ))}
      </div>
      <div className="k-field-error" aria-live="polite">
        {errorAt('parameters')}
      </div>
      <Button
        size="small"
        icon={<IconPlus aria-hidden />}
        onClick={() => change({ parameters: [...parameters, emptyParameter] })}
      >
        {t('compose.what.addParameter')}
      </Button>
    </fieldset>
  )
}

interface OneRowProps {
  readonly index: number
  readonly row: ParameterRow
  readonly onChange: (row: ParameterRow) => void
  readonly onRemove: () => void
}

function OneRow({ index, row, onChange, onRemove }: OneRowProps): ReactNode {
  const { t } = useTranslation()
  const { form, errorAt } = useEditing()
  const number = index + 1
  const mayBeSecret = form.port.trim() === String(agentPort) || row.source === 'Secret'
  return (
    <div className="k-parameter">
      <TextInput
        label={t('compose.what.parameterKey', { number })}
        labelHidden
        placeholder={t('compose.what.keyLabel')}
        monospace
        value={row.key}
        error={errorAt(`parameters.${index}.key`)}
        onChange={(key) => onChange({ ...row, key })}
      />
      {row.source === 'Value' ? (
        <div>
          <TextInput
            label={t('compose.what.parameterValue', { number })}
            labelHidden
            placeholder={t('compose.what.valueLabel')}
            monospace
            value={row.value}
            error={errorAt(`parameters.${index}.value`)}
            onChange={(value) => onChange({ ...row, value })}
          />
          <TypedInstead field={`parameters.${index}.value`} />
        </div>
      ) : (
        <SecretFields index={index} row={row} onChange={onChange} />
      )}
      {mayBeSecret && (
        <Select
          label={t('compose.what.parameterSource', { number })}
          labelHidden
          value={row.source}
          onChange={(source) => onChange({ ...row, source, value: source === 'Secret' ? '' : row.value })}
          options={[
            { value: 'Value', label: t('compose.what.fromHere') },
            { value: 'Secret', label: t('compose.what.fromSecret') },
          ]}
        />
      )}
      <Button
        variant="ghost"
        icon={<IconTrash aria-hidden />}
        aria-label={t('compose.what.removeParameter', { number })}
        onClick={onRemove}
      />
    </div>
  )
}

function SecretFields({ index, row, onChange }: Omit<OneRowProps, 'onRemove'>): ReactNode {
  const { t } = useTranslation()
  const { errorAt } = useEditing()
  const number = index + 1
  return (
    <div>
      <div className="k-pair">
        <TextInput
          label={`${t('compose.what.secretName')} (${number})`}
          labelHidden
          placeholder={t('compose.what.secretName')}
          monospace
          value={row.secretName}
          error={errorAt(`parameters.${index}.secret`)}
          onChange={(secretName) => onChange({ ...row, secretName })}
        />
        <TextInput
          label={`${t('compose.what.secretKey')} (${number})`}
          labelHidden
          placeholder={t('compose.what.secretKey')}
          monospace
          value={row.secretKey}
          onChange={(secretKey) => onChange({ ...row, secretKey })}
        />
      </div>
      <div className="form-hint">{t('compose.what.secretHint')}</div>
    </div>
  )
}

/** Where a value is refused only because a shell could misread it, and the agent that gets it runs none. */
export function TypedInstead({ field }: { readonly field: FormField }): ReactNode {
  const { t } = useTranslation()
  const { form, change } = useEditing()
  const isText = checkForm(form).some((problem) => problem.field === field && problem.code === 'TextRefused')
  if (!isText || form.port.trim() !== String(agentPort)) return null
  return (
    <Button size="small" className="k-gap-above" onClick={() => change({ check: 'Typed' })}>
      {t('compose.what.useTyped')}
    </Button>
  )
}
