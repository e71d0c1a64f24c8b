import { IconEye, IconEyeOff, IconSearch, IconX } from '@tabler/icons-react'
import { useId, useState, type ComponentProps, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { classNames } from './class-names.ts'

interface Described {
  readonly label: string
  /** Label for screen readers alone. */
  readonly labelHidden?: boolean
  readonly hint?: ReactNode
  /** What is wrong with the value; announced as it appears. */
  readonly error?: string | undefined
  readonly optional?: boolean
}

interface Wiring {
  readonly id: string
  readonly 'aria-describedby'?: string
  readonly 'aria-invalid'?: true
}

interface FieldProps extends Described {
  readonly children: (wiring: Wiring) => ReactNode
}

/** Label, hint and error around any control: `children` puts the wiring on it. */
function Field({ label, labelHidden, hint, error, optional, children }: FieldProps): ReactNode {
  const { t } = useTranslation()
  const id = useId()
  const describedBy = classNames(hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`)
  return (
    <div className="k-field">
      <label className={classNames('form-label', labelHidden === true && 'visually-hidden')} htmlFor={id}>
        {label}
        {optional === true && <span className="k-field-optional">{t('common.optional')}</span>}
      </label>
      {children({
        id,
        ...(describedBy === '' ? {} : { 'aria-describedby': describedBy }),
        ...(error === undefined ? {} : { 'aria-invalid': true as const }),
      })}
      {hint !== undefined && (
        <div className="form-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      <div id={`${id}-error`} className="k-field-error" aria-live="polite">
        {error}
      </div>
    </div>
  )
}

function described(props: Described): Described {
  const { label, labelHidden, hint, error, optional } = props
  return {
    label,
    ...(labelHidden === undefined ? {} : { labelHidden }),
    ...(hint === undefined ? {} : { hint }),
    ...(error === undefined ? {} : { error }),
    ...(optional === undefined ? {} : { optional }),
  }
}

type Controlled<Element> = Described & {
  readonly value: string
  readonly onChange: (value: string) => void
} & Omit<Element, 'value' | 'onChange' | 'id' | 'children' | keyof Described>

type TextInputProps = Controlled<ComponentProps<'input'>> & { readonly monospace?: boolean }

export function TextInput(props: TextInputProps): ReactNode {
  const { label: _, labelHidden: _1, hint: _2, error, optional: _3, monospace, onChange, className, ...rest } = props
  return (
    <Field {...described(props)}>
      {(wiring) => (
        <input
          type="text"
          autoComplete="off"
          spellCheck={false}
          {...rest}
          {...wiring}
          className={classNames(
            'form-control',
            error !== undefined && 'is-invalid',
            monospace === true && 'k-mono',
            className,
          )}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}

type TextAreaProps = Controlled<ComponentProps<'textarea'>> & { readonly monospace?: boolean }

export function TextArea(props: TextAreaProps): ReactNode {
  const { label: _, labelHidden: _1, hint: _2, error, optional: _3, monospace, onChange, className, ...rest } = props
  return (
    <Field {...described(props)}>
      {(wiring) => (
        <textarea
          rows={3}
          spellCheck={false}
          {...rest}
          {...wiring}
          className={classNames(
            'form-control',
            error !== undefined && 'is-invalid',
            monospace === true && 'k-mono',
            className,
          )}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}

/** A password, which can be looked at. `autoComplete` tells password managers which one it is. */
export function PasswordInput(
  props: Controlled<ComponentProps<'input'>> & { readonly autoComplete: 'current-password' | 'new-password' },
): ReactNode {
  const { label: _, labelHidden: _1, hint: _2, error, optional: _3, onChange, className, ...rest } = props
  const { t } = useTranslation()
  const [shown, setShown] = useState(false)
  const Icon = shown ? IconEyeOff : IconEye
  return (
    <Field {...described(props)}>
      {(wiring) => (
        <div className="k-input-with-button">
          <input
            {...rest}
            {...wiring}
            type={shown ? 'text' : 'password'}
            spellCheck={false}
            autoCapitalize="none"
            className={classNames('form-control', error !== undefined && 'is-invalid', className)}
            onChange={(event) => onChange(event.target.value)}
          />
          <button
            type="button"
            className="k-input-button"
            aria-label={t(shown ? 'common.hidePassword' : 'common.showPassword')}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            <Icon aria-hidden size={18} />
          </button>
        </div>
      )}
    </Field>
  )
}

interface SelectProps<Value extends string> extends Described {
  readonly value: Value
  readonly options: readonly { readonly value: Value; readonly label: string }[]
  readonly onChange: (value: Value) => void
  readonly disabled?: boolean
  readonly name?: string
}

export function Select<Value extends string>(props: SelectProps<Value>): ReactNode {
  const { value, options, onChange, error, ...rest } = props
  return (
    <Field {...described(props)}>
      {(wiring) => (
        <select
          {...wiring}
          name={rest.name}
          disabled={rest.disabled}
          className={classNames('form-select', error !== undefined && 'is-invalid')}
          value={value}
          onChange={(event) => onChange(event.target.value as Value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface CheckboxProps extends Omit<ComponentProps<'input'>, 'type' | 'onChange' | 'checked'> {
  readonly label: ReactNode
  readonly description?: ReactNode
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
}

export function Checkbox({ label, description, checked, onChange, className, ...rest }: CheckboxProps): ReactNode {
  return (
    <label className={classNames('form-check k-check', className)}>
      <input
        {...rest}
        type="checkbox"
        className="form-check-input"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span className="form-check-label">
        {label}
        {description !== undefined && <span className="form-check-description k-muted">{description}</span>}
      </span>
    </label>
  )
}

interface ChoiceProps<Value extends string> {
  readonly legend: string
  readonly legendHidden?: boolean
  readonly value: Value
  readonly options: readonly {
    readonly value: Value
    readonly label: ReactNode
    readonly description?: ReactNode
    readonly disabled?: boolean
  }[]
  readonly onChange: (value: Value) => void
  /** Segments: in one line, for a few short words. List: one below the other, with descriptions. */
  readonly look?: 'segments' | 'list'
}

/** One of a few, all of them seen: radio buttons. */
export function Choice<Value extends string>(props: ChoiceProps<Value>): ReactNode {
  const { legend, legendHidden, value, options, onChange, look = 'list' } = props
  const name = useId()
  return (
    <fieldset className="k-choice">
      <legend className={classNames('form-label', legendHidden === true && 'visually-hidden')}>{legend}</legend>
      <div className={look === 'segments' ? 'k-segments' : 'k-choice-list'}>
        {options.map((option) => (
          <label key={option.value} className={look === 'segments' ? 'k-segment' : 'form-check k-check'}>
            <input
              type="radio"
              className={look === 'segments' ? 'visually-hidden' : 'form-check-input'}
              name={name}
              value={option.value}
              checked={option.value === value}
              disabled={option.disabled}
              onChange={() => onChange(option.value)}
            />
            <span className={look === 'segments' ? 'k-segment-label' : 'form-check-label'}>
              {option.label}
              {option.description !== undefined && (
                <span className="form-check-description k-muted">{option.description}</span>
              )}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

interface SearchInputProps {
  readonly label: string
  readonly placeholder?: string
  readonly value: string
  readonly onChange: (value: string) => void
}

export function SearchInput({ label, placeholder, value, onChange }: SearchInputProps): ReactNode {
  const { t } = useTranslation()
  return (
    <div className="k-search" role="search">
      <IconSearch aria-hidden size={16} className="k-search-icon" />
      <input
        type="search"
        className="form-control"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
      />
      {value !== '' && (
        <button type="button" className="k-input-button" aria-label={t('common.clear')} onClick={() => onChange('')}>
          <IconX aria-hidden size={16} />
        </button>
      )}
    </div>
  )
}
