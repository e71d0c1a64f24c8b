import { IconAlertTriangle, IconLock } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { problemOf } from '../../../problem-error.ts'
import { refusalsOf, type Refusal } from '../../../request-form/refusal.ts'
import { emptyForm } from '../../../request-form/request-form.ts'
import { usePermissions } from '../../../session/session.ts'
import { Notice, ProblemNotice } from '../../../ui/index.ts'
import { refusalSentence } from './editing.tsx'

interface RefusedProps {
  readonly refusals: readonly Refusal[]
  /** What has a field is told there, and only the words of Kubernetes are left for here. */
  readonly hasFields?: boolean
}

/** Who may not do what, in the words of the page and of Kubernetes. */
export function Refused({ refusals, hasFields = false }: RefusedProps): ReactNode {
  const { t } = useTranslation()
  return (
    <Notice tone="bad" icon={IconAlertTriangle} alert>
      <strong>{t('compose.refusedTitle')}</strong>
      <ul className="k-causes">
        {refusals.map((refusal) => (
          <li key={`${refusal.field ?? ''} ${refusal.message}`}>
            {!(hasFields && refusal.field !== undefined) && refusalSentence(t, refusal)}
            {(hasFields ? refusal.field !== undefined : refusal.kind !== 'Invalid') && (
              <>
                {' '}
                {refusal.kind === 'HostForbidden' && t('compose.verbHint')}
                <details className="k-small">
                  <summary>{t('common.details')}</summary>
                  <span className="k-mono">{refusal.message}</span>
                </details>
              </>
            )}
          </li>
        ))}
      </ul>
    </Notice>
  )
}

/** What a call about a request failed with: to steer one is to write its spec, so every right that it took is asked for again. */
export function RequestProblem({ error }: { readonly error: unknown }): ReactNode {
  if (error === null || error === undefined) return null
  const problem = problemOf(error)
  if (problem.kubernetes?.status !== 403) return <ProblemNotice error={error} />
  return <Refused refusals={refusalsOf(problem, emptyForm)} />
}

/** Says beforehand what Kubernetes will say, and leaves it to Kubernetes to say it. */
export function MayNotWrite({ namespace }: { readonly namespace: string }): ReactNode {
  const { t } = useTranslation()
  const { data } = usePermissions(namespace)
  if (data === undefined || data.writeRequests === 'All' || data.writeRequests.includes(namespace)) return null
  return (
    <Notice tone="warning" icon={IconLock}>
      {t('compose.mayNotWrite', { namespace })}
    </Notice>
  )
}
