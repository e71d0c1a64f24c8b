import type { HostRequest } from '@keelson/api'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { isFinished } from '../../../run/outcome.ts'
import { Badge, Card } from '../../../ui/index.ts'
import { Sample } from './failures-card.tsx'

/** What hosts answered, equal answers once. It comes from hosts: it is shown as text and as nothing else. */
export function AnswersCard({ request }: { readonly request: HostRequest }): ReactNode {
  const { t } = useTranslation()
  const { spec, status } = request
  if (status === undefined || status.counts.targets === 0) return null
  const { answers } = status
  if (answers.length === 0) {
    const wanted = spec.answers ?? (spec.http.method === 'GET' ? 'Sample' : 'None')
    if (wanted === 'Sample' || !isFinished(request)) return null
    return (
      <Card title={t('run.answers.title')}>
        <p className="k-muted k-flat">
          {t('run.answers.none')} {t('run.answers.noneHint')}
        </p>
      </Card>
    )
  }
  return (
    <Card title={t('run.answers.title')}>
      <ul className="k-groups">
        {answers.map(({ code, body, count, sample }) => (
          <li key={`${code ?? ''} ${body ?? ''}`} className="k-group">
            <span className="k-group-count">{t('run.answers.group', { count })}</span>
            <div>
              <div className="k-row">
                {code === undefined ? (
                  <span className="k-muted">{t('run.answers.rest')}</span>
                ) : (
                  <Badge>{t('run.failures.http', { code })}</Badge>
                )}
              </div>
              {body === '' ? (
                <div className="k-muted">{t('run.answers.empty')}</div>
              ) : (
                body !== undefined && <pre className="k-answer">{body}</pre>
              )}
              <Sample hosts={sample} count={count} />
            </div>
          </li>
        ))}
      </ul>
    </Card>
  )
}
