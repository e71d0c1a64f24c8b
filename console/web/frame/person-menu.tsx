import { IconLogout, IconUserCircle } from '@tabler/icons-react'
import { Link, useRouter } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { signOut } from '../../protocol/session.ts'
import { call } from '../call.ts'
import { problemOf } from '../problem-error.ts'
import { sessionEnded, useMe } from '../session/session.ts'
import { Menu } from '../ui/menu.tsx'
import { problemText } from '../ui/problem-text.ts'
import { showToast } from '../ui/toasts.tsx'

export function useSignOut(): () => void {
  const { t } = useTranslation()
  const router = useRouter()
  const leave = async () => {
    await call(signOut)
    await sessionEnded()
    await router.navigate({ to: '/sign-in' })
  }
  return () => {
    leave().catch((error: unknown) => showToast(problemText(t, problemOf(error)), 'bad'))
  }
}

/** The first character as a person sees it, be it of several code points. */
function initialOf(name: string): string {
  const [first] = new Intl.Segmenter().segment(name)
  return first?.segment.toLocaleUpperCase() ?? '?'
}

export function PersonMenu(): ReactNode {
  const { t } = useTranslation()
  const me = useMe()
  const leave = useSignOut()
  return (
    <Menu
      buttonClassName="k-person"
      align="end"
      button={
        <>
          <span className="k-avatar" aria-hidden="true">
            {initialOf(me.displayName)}
          </span>
          <span className="k-person-name">
            <span className="visually-hidden">{t('shell.account')} </span>
            {me.displayName}
          </span>
        </>
      }
    >
      {(close) => (
        <>
          <div className="k-menu-heading">
            <strong>{me.displayName}</strong>
            <span className="k-muted k-mono">{me.name}</span>
          </div>
          <Link to="/profile" className="k-menu-item" onClick={close}>
            <IconUserCircle aria-hidden size={16} /> {t('shell.profile')}
          </Link>
          <button type="button" className="k-menu-item" onClick={leave}>
            <IconLogout aria-hidden size={16} /> {t('shell.signOut')}
          </button>
        </>
      )}
    </Menu>
  )
}
