import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

/** A keel under its ribs. */
export function Brand(): ReactNode {
  const { t } = useTranslation()
  return (
    <span className="k-brand">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="7" className="k-brand-ground" />
        <path d="M7 9h18M16 9v14M8 17c0 4 4 7 8 7s8-3 8-7" className="k-brand-line" />
      </svg>
      {t('shell.product')}
    </span>
  )
}
