import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

/** The title of the window, of a page that is not a Page. */
export function useTitle(title: string): void {
  const { t } = useTranslation()
  useEffect(() => {
    document.title = `${title} · ${t('shell.product')}`
  }, [title, t])
}
