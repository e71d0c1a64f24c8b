import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useSignOut } from '../../frame/person-menu.tsx'
import { Standalone } from '../../frame/standalone.tsx'
import { Button, useTitle } from '../../ui/index.ts'
import { ChangePasswordForm } from './change-password-form.tsx'

/** Instead of every page, for who bears a password that somebody else has set. */
export function PasswordFirstPage(): ReactNode {
  const { t } = useTranslation()
  const leave = useSignOut()
  useTitle(t('signIn.change.title'))
  return (
    <Standalone>
      <h1>{t('signIn.change.title')}</h1>
      <p className="k-entrance-text">{t('signIn.change.first')}</p>
      <ChangePasswordForm wide />
      <Button variant="ghost" className="k-wide" onClick={leave}>
        {t('shell.signOut')}
      </Button>
    </Standalone>
  )
}
