import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Loading, Page } from '../../ui/index.ts'

export function RequestsPage(): ReactNode {
  const { t } = useTranslation()
  return (
    <Page title={t('requests.title')}>
      <Loading />
    </Page>
  )
}
