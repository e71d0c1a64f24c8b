import { IconCompass } from '@tabler/icons-react'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { useRouter } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { LinkButton } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { Empty, ErrorPanel } from '../ui/states.tsx'

export function NotFoundPage(): ReactNode {
  const { t } = useTranslation()
  return (
    <Page title={t('common.state.notFound')}>
      <Empty
        icon={IconCompass}
        title={t('common.state.notFoundHint')}
        action={<LinkButton to="/">{t('common.state.toOverview')}</LinkButton>}
      />
    </Page>
  )
}

/** A page that could not be loaded or has thrown. */
export function PageFailed({ error, reset }: ErrorComponentProps): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  return (
    <Page title={t('common.state.pageFailed')}>
      <ErrorPanel
        error={error}
        onRetry={() => {
          reset()
          void router.invalidate()
        }}
      />
    </Page>
  )
}
