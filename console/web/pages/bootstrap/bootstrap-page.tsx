import { IconInfoCircle } from '@tabler/icons-react'
import { useRouter } from '@tanstack/react-router'
import { useEffect, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { bootstrap, setPreferences } from '../../../protocol/session.ts'
import { call, configureCalls } from '../../call.ts'
import { Standalone } from '../../frame/standalone.tsx'
import { presentLanguage, presentTheme } from '../../preferences.ts'
import { takeSession, useSession } from '../../session/session.ts'
import {
  Button,
  LinkButton,
  Notice,
  PasswordInput,
  ProblemNotice,
  TextInput,
  useForm,
  useTitle,
} from '../../ui/index.ts'
import { newPasswordError } from '../profile/new-password.ts'
import { tokenOf } from './token.ts'

/** Makes the first administrator, with the token from the console's log. */
export function BootstrapPage(): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  const session = useSession()
  const [token] = useState(() => tokenOf(location.hash))
  useTitle(t('signIn.bootstrap.title'))
  useEffect(() => {
    // Out of the address bar, the history and every screenshot: it is worth an administrator.
    if (location.hash !== '') void router.navigate({ to: '/bootstrap', hash: '', replace: true })
  }, [router])
  if (session?.bootstrapOpen === false) {
    return (
      <Standalone>
        <h1>{t('signIn.bootstrap.title')}</h1>
        <p className="k-entrance-text">{t('signIn.bootstrap.closed')}</p>
        <LinkButton to="/sign-in" variant="primary" className="k-wide">
          {t('signIn.bootstrap.toSignIn')}
        </LinkButton>
      </Standalone>
    )
  }
  return (
    <Standalone>
      <h1>{t('signIn.bootstrap.title')}</h1>
      {token === '' ? (
        <Notice tone="warning" icon={IconInfoCircle}>
          {t('signIn.bootstrap.noToken')}
        </Notice>
      ) : (
        <BootstrapForm token={token} />
      )}
    </Standalone>
  )
}

function BootstrapForm({ token }: { readonly token: string }): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  const [displayName, setDisplayName] = useState('')
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [tried, setTried] = useState(false)
  const wrong = newPasswordError(password, repeat)
  const form = useForm(async () => {
    setTried(true)
    if (wrong !== undefined || displayName.trim() === '') return
    const session = await call(bootstrap, { body: { token, displayName: displayName.trim(), password } })
    configureCalls({ csrfToken: session.csrfToken })
    // What was chosen on this very page is what the account begins with.
    const preferences = { language: presentLanguage(), theme: presentTheme() }
    const me = await call(setPreferences, { body: preferences }).catch(() => session.me)
    await takeSession(me === undefined ? session : { ...session, me })
    await router.navigate({ to: '/' })
  })
  return (
    <>
      <p className="k-entrance-text">{t('signIn.bootstrap.text')}</p>
      <form onSubmit={form.submit} className="k-form" noValidate>
        <TextInput
          label={t('signIn.bootstrap.displayName')}
          hint={t('signIn.bootstrap.displayNameHint')}
          name="displayName"
          autoComplete="name"
          maxLength={128}
          required
          value={displayName}
          onChange={setDisplayName}
        />
        <PasswordInput
          label={t('signIn.change.next')}
          hint={t('signIn.change.rule')}
          name="password"
          autoComplete="new-password"
          required
          value={password}
          onChange={setPassword}
          error={tried && wrong === 'tooShort' ? t('signIn.change.tooShort') : undefined}
        />
        <PasswordInput
          label={t('signIn.change.repeat')}
          name="repeat"
          autoComplete="new-password"
          required
          value={repeat}
          onChange={setRepeat}
          error={
            (tried || repeat.length >= password.length) && wrong === 'differs' ? t('signIn.change.differs') : undefined
          }
        />
        <ProblemNotice error={form.error} />
        <Button
          type="submit"
          variant="primary"
          className="k-wide"
          busy={form.busy}
          disabled={displayName.trim() === '' || password === '' || repeat === ''}
        >
          {t('signIn.bootstrap.submit')}
        </Button>
      </form>
    </>
  )
}
