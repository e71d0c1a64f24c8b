import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Loading, Page } from '../../ui/index.ts'

export function OverviewPage(): ReactNode {
  const { t } = useTranslation()
  return (
    <Page title={t('overview.title')}>
      <Loading />
    </Page>
  )
}
