import { IconChevronRight } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { emptyForm, optionFields, type RequestForm } from '../../../request-form/request-form.ts'
import { defaults } from '../../../request-form/spec-of-form.ts'
import { Button, Choice, Select, TextInput } from '../../../ui/index.ts'
import { useEditing } from './editing.tsx'

type TextField =
  | 'timeoutSeconds'
  | 'activeDeadlineSeconds'
  | 'parallelism'
  | 'retryLimit'
  | 'waves'
  | 'maxFailures'
  | 'successCodes'
  | 'ttlSecondsAfterFinished'

/** How the request runs: folded away, for its defaults are the plain meaning of sending it. */
export function OptionsCard(): ReactNode {
  const { t } = useTranslation()
  const { form, errorAt } = useEditing()
  const changed = optionFields.filter((field) => form[field] !== emptyForm[field]).length
  const hasError = optionFields.some((field) => errorAt(field) !== undefined)
  const [isOpen, setOpen] = useState(changed > 0)
  return (
    <details
      className="card k-card k-fold"
      open={isOpen || hasError}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="k-fold-summary">
        <IconChevronRight aria-hidden size={18} className="k-fold-sign" />
        <span className="k-fold-title">{t('compose.options.title')}</span>
        <span className="k-muted">
          {changed === 0 ? t('compose.options.folded') : t('compose.options.changed', { count: changed })}
        </span>
      </summary>
      <div className="card-body k-options">
        <Pace />
        <Failures />
        <Delivery />
        <Afterwards />
      </div>
    </details>
  )
}

function Pace(): ReactNode {
  const { t } = useTranslation()
  const { change, form } = useEditing()
  return (
    <fieldset className="k-choice">
      <legend className="k-group-title">{t('compose.options.pace')}</legend>
      <TextOption field="waves" hint={t('compose.options.wavesHint')} standard="100%" />
      {form.waves === '' && (
        <Button size="small" className="k-gap-above" onClick={() => change({ waves: '1, 10%, 100%' })}>
          {t('compose.options.canary')}
        </Button>
      )}
      <TextOption
        field="parallelism"
        hint={t('compose.options.parallelismHint')}
        standard={String(defaults.parallelism)}
      />
      <TextOption
        field="activeDeadlineSeconds"
        hint={t('compose.options.activeDeadlineSecondsHint')}
        standard={String(defaults.activeDeadlineSeconds)}
      />
      <Choice
        legend={t('compose.options.onOffline')}
        look="segments"
        value={form.onOffline}
        onChange={(onOffline) => change({ onOffline })}
        options={(['Skip', 'Wait', 'Try'] as const).map((value) => ({
          value,
          label: t(`compose.options.onOffline${value}`),
        }))}
      />
    </fieldset>
  )
}

function Failures(): ReactNode {
  const { t } = useTranslation()
  const { change, form } = useEditing()
  return (
    <fieldset className="k-choice">
      <legend className="k-group-title">{t('compose.options.failures')}</legend>
      <Choice
        legend={t('compose.options.onFailure')}
        look="segments"
        value={form.onFailure}
        onChange={(onFailure) => change({ onFailure })}
        options={(['Stop', 'Pause', 'Continue'] as const).map((value) => ({
          value,
          label: t(`compose.options.onFailure${value}`),
        }))}
      />
      <TextOption
        field="maxFailures"
        hint={t('compose.options.maxFailuresHint')}
        standard={String(defaults.maxFailures)}
      />
      <TextOption
        field="retryLimit"
        hint={t('compose.options.retryLimitHint')}
        standard={String(defaults.retry.limit)}
      />
      <Choice
        legend={t('compose.options.onUnknown')}
        look="segments"
        value={form.onUnknown}
        onChange={(onUnknown) => change({ onUnknown })}
        options={(['Fail', 'Resend'] as const).map((value) => ({
          value,
          label: t(`compose.options.onUnknown${value}`),
        }))}
      />
    </fieldset>
  )
}

function Delivery(): ReactNode {
  const { t } = useTranslation()
  const { change, form, errorAt } = useEditing()
  return (
    <fieldset className="k-choice">
      <legend className="k-group-title">{t('compose.options.delivery')}</legend>
      <TextOption
        field="timeoutSeconds"
        hint={t('compose.options.timeoutSecondsHint')}
        standard={String(defaults.timeoutSeconds)}
      />
      <TextOption
        field="successCodes"
        hint={t('compose.options.successCodesHint')}
        standard={defaults.http.successCodes.join(', ')}
      />
      <Select
        label={t('compose.options.check')}
        hint={t('compose.options.checkHint')}
        error={errorAt('check')}
        value={form.check}
        onChange={(check) => change({ check })}
        options={(['Text', 'Typed'] as const).map((value) => ({ value, label: t(`compose.options.check${value}`) }))}
      />
      <Select
        label={t('compose.options.scheme')}
        error={errorAt('scheme')}
        value={form.scheme}
        onChange={(scheme) => change({ scheme })}
        options={[
          { value: '', label: t('compose.options.schemeDefault') },
          { value: 'https', label: 'https' },
          { value: 'http', label: 'http' },
        ]}
      />
    </fieldset>
  )
}

function Afterwards(): ReactNode {
  const { t } = useTranslation()
  const { change, form } = useEditing()
  return (
    <fieldset className="k-choice">
      <legend className="k-group-title">{t('compose.options.after')}</legend>
      <Select
        label={t('compose.options.answers')}
        value={form.answers}
        onChange={(answers) => change({ answers })}
        options={[
          { value: '', label: t('compose.options.answersDefault') },
          { value: 'Sample', label: t('compose.options.answersSample') },
          { value: 'None', label: t('compose.options.answersNone') },
        ]}
      />
      <TextOption
        field="ttlSecondsAfterFinished"
        hint={t('compose.options.ttlHint')}
        standard={t('compose.options.kept')}
      />
    </fieldset>
  )
}

interface TextOptionProps {
  readonly field: TextField & keyof RequestForm
  readonly hint: string
  /** What holds where nothing is typed. */
  readonly standard: string
}

function TextOption({ field, hint, standard }: TextOptionProps): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  return (
    <TextInput
      label={t(`compose.options.${field}`)}
      hint={`${hint} ${t('compose.options.byDefault', { value: standard })}`}
      placeholder={standard}
      value={form[field]}
      error={errorAt(field)}
      onChange={(value) => change({ [field]: value })}
    />
  )
}
