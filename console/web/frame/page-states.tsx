import { IconCompass } from '@tabler/icons-react'
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { LinkButton } from '../ui/button.tsx'
import { Empty, ErrorPanel } from '../ui/states.tsx'
import { useTitle } from '../ui/use-title.ts'
import { Standalone } from './standalone.tsx'

export function NotFoundPage(): ReactNode {
  const { t } = useTranslation()
  const title = t('common.state.notFound')
  useTitle(title)
  return (
    <Standalone>
      <h1 className="visually-hidden">{title}</h1>
      <Empty icon={IconCompass} title={title} action={<LinkButton to="/">{t('common.state.toOverview')}</LinkButton>}>
        {t('common.state.notFoundHint')}
      </Empty>
    </Standalone>
  )
}

/** A page that could not be loaded or has thrown. */
export function PageFailed({ error, reset }: ErrorComponentProps): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  const title = t('common.state.pageFailed')
  useTitle(title)
  return (
    <Standalone>
      <h1 className="visually-hidden">{title}</h1>
      <ErrorPanel
        error={error}
        title={title}
        onRetry={() => {
          reset()
          void router.invalidate()
        }}
      />
    </Standalone>
  )
}
