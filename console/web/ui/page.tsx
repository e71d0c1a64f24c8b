import type { ReactNode } from 'react'
import { classNames } from './class-names.ts'
import { useTitle } from './use-title.ts'

interface PageProps {
  readonly title: string
  /** Shown beside the heading: a state badge, a count. */
  readonly badge?: ReactNode
  /** Above the heading: links to what this page is a part of. */
  readonly parent?: ReactNode
  readonly subtitle?: ReactNode
  readonly actions?: ReactNode
  /** Fills the height of the window: for grids, which scroll by themselves. */
  readonly fill?: boolean
  readonly children: ReactNode
}

/** One page: heading of level 1, what can be done, content. Sets the title of the window. */
export function Page({ title, badge, parent, subtitle, actions, fill, children }: PageProps): ReactNode {
  useTitle(title)
  return (
    <div className={classNames('k-page', fill === true && 'k-page-fill')}>
      <header className="k-page-header">
        <div className="k-page-heading">
          {parent !== undefined && <div className="k-page-parent">{parent}</div>}
          <div className="k-page-title">
            <h1>{title}</h1>
            {badge}
          </div>
          {subtitle !== undefined && <div className="k-page-subtitle">{subtitle}</div>}
        </div>
        {actions !== undefined && <div className="k-page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
