import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

/** More than this many are counted: nobody reads a thousand names in a row, and the page of the run has them all. */
const shown = 60

export function TargetNames({
  title,
  names,
}: {
  readonly title: string
  readonly names: readonly string[]
}): ReactNode {
  const { t } = useTranslation()
  return (
    <div>
      <div className="k-strong">{title}</div>
      <ul className="k-tags">
        {names.slice(0, shown).map((name) => (
          <li key={name} className="k-tag">
            <Link to="/hosts/$name" params={{ name }}>
              {name}
            </Link>
          </li>
        ))}
        {names.length > shown && (
          <li className="k-muted">{t('compose.preview.more', { count: names.length - shown })}</li>
        )}
      </ul>
    </div>
  )
}
