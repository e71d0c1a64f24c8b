import { IconRefresh } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button, CopyButton, PasswordInput } from '../../ui/index.ts'
import { firstPassword } from './first-password.ts'

export function randomPassword(): string {
  return firstPassword((bytes) => crypto.getRandomValues(bytes))
}

interface PasswordFieldProps {
  readonly value: string
  readonly error: string | undefined
  readonly onChange: (value: string) => void
}

/** A first password for somebody else: one is proposed, to be copied and handed over. */
export function FirstPasswordField({ value, error, onChange }: PasswordFieldProps): ReactNode {
  const { t } = useTranslation()
  return (
    <div>
      <PasswordInput
        label={t('access.firstPassword')}
        hint={t('access.firstPasswordHint')}
        autoComplete="new-password"
        value={value}
        error={error}
        onChange={onChange}
      />
      <div className="k-row">
        <Button
          size="small"
          variant="ghost"
          icon={<IconRefresh aria-hidden size={16} />}
          onClick={() => onChange(randomPassword())}
        >
          {t('access.newProposal')}
        </Button>
        {value !== '' && <CopyButton text={value} label={t('access.copyPassword')} />}
      </div>
    </div>
  )
}

const minLength = 12

/** What is wrong with a password as far as a page can tell. */
export function isTooShort(password: string): boolean {
  return Array.from(password).length < minLength
}
