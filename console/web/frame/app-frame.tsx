import {
  IconHistory,
  IconLayoutDashboard,
  IconMenu2,
  IconSend,
  IconServer2,
  IconUsersGroup,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react'
import { Link, Outlet, useLocation, type LinkProps } from '@tanstack/react-router'
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { PasswordFirstPage } from '../pages/profile/password-first-page.tsx'
import { usePermissions, useSession } from '../session/session.ts'
import { announce, Toasts } from '../ui/toasts.tsx'
import { Brand } from './brand.tsx'
import { LiveBadge } from './live-badge.tsx'
import { PersonMenu } from './person-menu.tsx'
import { LanguageMenu, ThemeMenu } from './preference-menus.tsx'

/** Around every page of whoever is signed in. Who bears a password that somebody else has set changes it before anything else. */
export function AppFrame(): ReactNode {
  const me = useSession()?.me
  if (me === undefined) return null
  return me.mustChangePassword ? <PasswordFirstPage /> : <Frame />
}

function Frame(): ReactNode {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const content = useFocusOnArrival()
  return (
    <div className="k-frame">
      <a className="k-skip" href="#content">
        {t('shell.skip')}
      </a>
      <aside className={open ? 'k-sidebar k-sidebar-open' : 'k-sidebar'}>
        <div className="k-sidebar-top">
          <Link to="/" className="k-brand-link">
            <Brand />
          </Link>
          <button
            type="button"
            className="k-icon-button k-sidebar-toggle"
            aria-expanded={open}
            aria-controls="navigation"
            aria-label={t(open ? 'shell.closeNavigation' : 'shell.openNavigation')}
            onClick={() => setOpen(!open)}
          >
            {open ? <IconX aria-hidden size={20} /> : <IconMenu2 aria-hidden size={20} />}
          </button>
        </div>
        <Navigation onGo={() => setOpen(false)} />
      </aside>
      <div className="k-main">
        <header className="k-topbar">
          <LiveBadge />
          <div className="k-topbar-end">
            <LanguageMenu />
            <ThemeMenu />
            <PersonMenu />
          </div>
        </header>
        <main id="content" className="k-content" tabIndex={-1} ref={content}>
          <Outlet />
        </main>
      </div>
      <Toasts />
    </div>
  )
}

interface Entry {
  readonly to: NonNullable<LinkProps['to']>
  readonly key: 'overview' | 'hosts' | 'requests' | 'access' | 'audit'
  readonly icon: TablerIcon
}

function Navigation({ onGo }: { readonly onGo: () => void }): ReactNode {
  const { t } = useTranslation()
  const { data } = usePermissions()
  const entries: readonly (Entry | false)[] = [
    { to: '/', key: 'overview', icon: IconLayoutDashboard },
    { to: '/hosts', key: 'hosts', icon: IconServer2 },
    { to: '/requests', key: 'requests', icon: IconSend },
    data?.manageAccess === true && { to: '/access', key: 'access', icon: IconUsersGroup },
    data?.readAudit === true && { to: '/audit', key: 'audit', icon: IconHistory },
  ]
  return (
    <nav id="navigation" className="k-navigation" aria-label={t('shell.navigation')}>
      {entries
        .filter((entry) => entry !== false)
        .map(({ to, key, icon: Icon }) => (
          <Link
            key={key}
            to={to}
            className="k-navigation-link"
            activeOptions={{ exact: to === '/', includeSearch: false }}
            activeProps={{ 'aria-current': 'page' }}
            onClick={onGo}
          >
            <Icon aria-hidden size={20} stroke={1.75} />
            {t(`shell.${key}`)}
          </Link>
        ))}
    </nav>
  )
}

/** After going to another page the focus is at its beginning and its title is read out, as a browser does it between documents. */
function useFocusOnArrival(): RefObject<HTMLElement | null> {
  const content = useRef<HTMLElement>(null)
  const path = useLocation({ select: ({ pathname }) => pathname })
  const before = useRef(path)
  useEffect(() => {
    if (before.current === path) return
    before.current = path
    content.current?.focus({ preventScroll: true })
    content.current?.scrollTo(0, 0)
    announce(document.title)
  }, [path])
  return content
}
