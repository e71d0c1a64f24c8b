import { IconAlertTriangle, IconLock, type TablerIcon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { problemOf } from '../problem-error.ts'
import { Button } from './button.tsx'
import { problemText } from './problem-text.ts'

interface EmptyProps {
  readonly icon: TablerIcon
  readonly title: string
  /** What it means, and what to do now. */
  readonly children?: ReactNode
  readonly action?: ReactNode
}

/** Nothing is there: says why, and what to do. */
export function Empty({ icon: Icon, title, children, action }: EmptyProps): ReactNode {
  return (
    <div className="k-state">
      <span className="k-state-icon">
        <Icon aria-hidden size={32} stroke={1.5} />
      </span>
      <p className="k-state-title">{title}</p>
      {children !== undefined && <div className="k-state-text">{children}</div>}
      {action !== undefined && <div className="k-state-action">{action}</div>}
    </div>
  )
}

/** Placeholder lines while something is fetched. `label` says what, to screen readers. */
export function Loading({ label, lines = 4 }: { readonly label?: string; readonly lines?: number }): ReactNode {
  const { t } = useTranslation()
  return (
    <div className="k-loading" role="status">
      <span className="visually-hidden">{label ?? t('common.loading')}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="k-loading-line" aria-hidden="true" />
      ))}
    </div>
  )
}

/** A call has failed: what is wrong, what Kubernetes said, another try. A call that was refused shows NoPermission instead. */
export function ErrorPanel({
  error,
  title,
  onRetry,
}: {
  readonly error: unknown
  readonly title?: string
  readonly onRetry?: () => void
}): ReactNode {
  const { t } = useTranslation()
  const problem = problemOf(error)
  if (problem.status === 403) return <NoPermission error={problem} />
  return (
    <div className="k-state" role="alert">
      <span className="k-state-icon k-state-bad">
        <IconAlertTriangle aria-hidden size={32} stroke={1.5} />
      </span>
      <p className="k-state-title">{title ?? t('common.state.loadFailed')}</p>
      <div className="k-state-text">{problemText(t, problem)}</div>
      {problem.kubernetes !== undefined && (
        <div className="k-state-text k-muted">{t('common.state.kubernetesSaid', { ...problem.kubernetes })}</div>
      )}
      {onRetry !== undefined && (
        <div className="k-state-action">
          <Button onClick={onRetry}>{t('common.retry')}</Button>
        </div>
      )}
    </div>
  )
}

interface NoPermissionProps {
  /** The right that it takes, as in `list hosts.keelson.dev`. */
  readonly needs?: string
  readonly error?: { readonly message: string }
}

/** The right is missing: says which one, and who can give it. */
export function NoPermission({ needs, error }: NoPermissionProps): ReactNode {
  const { t } = useTranslation()
  return (
    <div className="k-state">
      <span className="k-state-icon">
        <IconLock aria-hidden size={32} stroke={1.5} />
      </span>
      <p className="k-state-title">{t('common.state.noPermission')}</p>
      <div className="k-state-text">{t('common.state.noPermissionHint')}</div>
      {needs !== undefined && (
        <div className="k-state-text">
          <code>{t('common.state.needs', { right: needs })}</code>
        </div>
      )}
      {error !== undefined && error.message !== '' && (
        <div className="k-state-text k-muted k-mono">{error.message}</div>
      )}
    </div>
  )
}

type NoticeTone = 'info' | 'warning' | 'bad' | 'good'
const noticeClasses: Readonly<Record<NoticeTone, string>> = {
  info: 'k-notice k-tone-info',
  warning: 'k-notice k-tone-warning',
  bad: 'k-notice k-tone-bad',
  good: 'k-notice k-tone-good',
}

/** A few words within a page that must be seen. `alert` reads them out as they appear. */
export function Notice({
  tone = 'info',
  icon: Icon,
  alert,
  children,
}: {
  readonly tone?: NoticeTone
  readonly icon?: TablerIcon
  readonly alert?: boolean
  readonly children: ReactNode
}): ReactNode {
  return (
    <div className={noticeClasses[tone]} role={alert === true ? 'alert' : undefined}>
      {Icon !== undefined && <Icon aria-hidden size={18} />}
      <div>{children}</div>
    </div>
  )
}

/** What a form's call failed with, above its buttons. */
export function ProblemNotice({ error }: { readonly error: unknown }): ReactNode {
  const { t } = useTranslation()
  if (error === null || error === undefined) return null
  const problem = problemOf(error)
  return (
    <Notice tone="bad" icon={IconAlertTriangle} alert>
      {problemText(t, problem)}
      {problem.kubernetes !== undefined && (
        <div className="k-muted">{t('common.state.kubernetesSaid', { ...problem.kubernetes })}</div>
      )}
      {problem.causes !== undefined && (
        <ul className="k-causes">
          {problem.causes.map((cause) => (
            <li key={`${cause.field} ${cause.message}`}>
              <code>{cause.field}</code> {cause.message}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  )
}
