import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { changePassword } from '../../../protocol/session.ts'
import { call } from '../../call.ts'
import { refreshSession, useMe } from '../../session/session.ts'
import { Button, PasswordInput, ProblemNotice, showToast, useForm } from '../../ui/index.ts'
import { newPasswordError } from './new-password.ts'

/** Changes the password of whoever is signed in. */
export function ChangePasswordForm({ wide = false }: { readonly wide?: boolean }): ReactNode {
  const { t } = useTranslation()
  const me = useMe()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [repeat, setRepeat] = useState('')
  const [tried, setTried] = useState(false)
  const wrong = newPasswordError(next, repeat)
  const form = useForm(async () => {
    setTried(true)
    if (wrong !== undefined) return
    await call(changePassword, { body: { current, next } })
    for (const set of [setCurrent, setNext, setRepeat]) set('')
    setTried(false)
    showToast(t('signIn.change.done'))
    await refreshSession()
  })
  return (
    <form onSubmit={form.submit} className="k-form" noValidate>
      {/* For password managers: whose password this is. */}
      <input type="text" name="username" autoComplete="username" value={me.name} readOnly hidden />
      <PasswordInput
        label={t('signIn.change.current')}
        name="current"
        autoComplete="current-password"
        required
        value={current}
        onChange={setCurrent}
      />
      <PasswordInput
        label={t('signIn.change.next')}
        hint={t('signIn.change.rule')}
        name="next"
        autoComplete="new-password"
        required
        value={next}
        onChange={setNext}
        error={tried && wrong === 'tooShort' ? t('signIn.change.tooShort') : undefined}
      />
      <PasswordInput
        label={t('signIn.change.repeat')}
        name="repeat"
        autoComplete="new-password"
        required
        value={repeat}
        onChange={setRepeat}
        error={tried && wrong === 'differs' ? t('signIn.change.differs') : undefined}
      />
      <ProblemNotice error={form.error} />
      <div>
        <Button
          type="submit"
          variant="primary"
          className={wide ? 'k-wide' : ''}
          busy={form.busy}
          disabled={current === '' || next === '' || repeat === ''}
        >
          {t('signIn.change.submit')}
        </Button>
      </div>
    </form>
  )
}
