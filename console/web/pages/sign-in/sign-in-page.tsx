import { IconInfoCircle } from '@tabler/icons-react'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { signIn } from '../../../protocol/session.ts'
import { call } from '../../call.ts'
import { Standalone } from '../../frame/standalone.tsx'
import { destinationAfterSignIn } from '../../session/destination.ts'
import { takeSession, useSession } from '../../session/session.ts'
import { Button, Notice, PasswordInput, ProblemNotice, TextInput, useForm, useTitle } from '../../ui/index.ts'

const route = getRouteApi('/sign-in')

export function SignInPage(): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  const { next } = route.useSearch()
  const session = useSession()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const form = useForm(async () => {
    await takeSession(await call(signIn, { body: { name: name.trim(), password } }))
    router.history.push(destinationAfterSignIn(next, location.origin))
  })
  useTitle(t('signIn.title'))
  return (
    <Standalone>
      <h1>{t('signIn.title')}</h1>
      {session?.bootstrapOpen === true && <Notice icon={IconInfoCircle}>{t('signIn.bootstrapOpen')}</Notice>}
      <form onSubmit={form.submit} className="k-form">
        <TextInput
          label={t('signIn.name')}
          name="name"
          autoComplete="username"
          autoCapitalize="none"
          required
          value={name}
          onChange={setName}
        />
        <PasswordInput
          label={t('signIn.password')}
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={setPassword}
        />
        <ProblemNotice error={form.error} />
        <Button type="submit" variant="primary" className="k-wide" busy={form.busy}>
          {t('signIn.submit')}
        </Button>
      </form>
    </Standalone>
  )
}
