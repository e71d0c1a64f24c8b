import { IconInfoCircle } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { setPassword, setSignIn, type Account } from '../../../protocol/access.ts'
import { call } from '../../call.ts'
import { Button, Card, ConfirmDialog, Dialog, LinkButton, Notice, ProblemNotice, showToast } from '../../ui/index.ts'
import { SignInBadge } from './account-badges.tsx'
import { FirstPasswordField, isTooShort, randomPassword } from './password-field.tsx'
import { accountQuery, useAccountChange } from './queries.ts'

interface SignInCardProps {
  readonly account: Account
  /** Of whoever is signed in: to be changed in the profile. */
  readonly own: boolean
}

/** Whether a person may sign in, and with which password. Kubernetes knows nothing of it, so there is no kubectl command. */
export function SignInCard({ account: { name, signIn }, own }: SignInCardProps): ReactNode {
  const { t } = useTranslation()
  const [asking, setAsking] = useState<'disable' | 'password'>()
  const close = () => setAsking(undefined)
  const change = useAccountChange<boolean>(
    (enabled) => call(setSignIn, { params: { name }, body: { enabled } }),
    (account) => {
      close()
      showToast(t(account.signIn === 'Enabled' ? 'access.signInEnabled' : 'access.signInDisabled', { name }))
    },
  )
  return (
    <>
      <Card title={t('access.signInCard')} actions={<SignInBadge signIn={signIn} />}>
        <div className="k-stack">
          <p className="k-muted k-flush">{t(`access.signInText.${signIn}`)}</p>
          {own ? (
            <Notice icon={IconInfoCircle}>
              {t('access.ownAccount')}{' '}
              <LinkButton to="/profile" size="small">
                {t('access.toProfile')}
              </LinkButton>
            </Notice>
          ) : (
            <div className="k-row">
              <Button onClick={() => setAsking('password')}>
                {t(signIn === 'Never' ? 'access.setPassword' : 'access.newPassword')}
              </Button>
              {signIn === 'Enabled' && (
                <Button variant="danger" onClick={() => setAsking('disable')}>
                  {t('access.disableSignIn')}
                </Button>
              )}
              {signIn === 'Disabled' && (
                <Button busy={change.isPending} onClick={() => change.mutate(true)}>
                  {t('access.enableSignIn')}
                </Button>
              )}
            </div>
          )}
          {asking === undefined && <ProblemNotice error={change.error} />}
          <p className="k-muted k-flush">{t('access.passwordNotInKubernetes')}</p>
        </div>
      </Card>
      {asking === 'disable' && (
        <ConfirmDialog
          open
          title={t('access.disableTitle', { name })}
          confirm={t('access.disableSignIn')}
          variant="danger"
          busy={change.isPending}
          onConfirm={() => change.mutate(false)}
          onClose={close}
        >
          <p>{t('access.disableText')}</p>
          <ProblemNotice error={change.error} />
        </ConfirmDialog>
      )}
      {asking === 'password' && <PasswordDialog name={name} onClose={close} />}
    </>
  )
}

function PasswordDialog({ name, onClose }: { readonly name: string; readonly onClose: () => void }): ReactNode {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [password, setValue] = useState(randomPassword)
  const [tried, setTried] = useState(false)
  const tooShort = isTooShort(password)
  const change = useMutation({
    mutationFn: () => call(setPassword, { params: { name }, body: { password } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: accountQuery(name).queryKey, exact: true })
      showToast(t('access.passwordSet', { name }))
      onClose()
    },
  })
  return (
    <Dialog
      open
      title={t('access.passwordTitle', { name })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button variant="primary" type="submit" form="set-password" busy={change.isPending}>
            {t('access.setPassword')}
          </Button>
        </>
      }
    >
      <form
        id="set-password"
        className="k-stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setTried(true)
          if (!tooShort) change.mutate()
        }}
      >
        <p className="k-flush">{t('access.passwordText')}</p>
        <FirstPasswordField
          value={password}
          error={tried && tooShort ? t('access.passwordTooShort') : undefined}
          onChange={setValue}
        />
        <ProblemNotice error={change.error} />
      </form>
    </Dialog>
  )
}
