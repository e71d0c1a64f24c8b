import { useId, type ReactNode } from 'react'
import { classNames } from './class-names.ts'

interface CardProps {
  /** Heading of level 2. */
  readonly title?: ReactNode
  readonly subtitle?: ReactNode
  readonly actions?: ReactNode
  /** Without padding: for tables, which reach the border. */
  readonly flush?: boolean
  readonly footer?: ReactNode
  readonly children: ReactNode
}

export function Card({ title, subtitle, actions, flush, footer, children }: CardProps): ReactNode {
  const heading = useId()
  return (
    <section className="card k-card" aria-labelledby={title === undefined ? undefined : heading}>
      {title !== undefined && (
        <div className="card-header k-card-header">
          <div>
            <h2 className="card-title" id={heading}>
              {title}
            </h2>
            {subtitle !== undefined && <div className="k-muted">{subtitle}</div>}
          </div>
          {actions !== undefined && <div className="k-card-actions">{actions}</div>}
        </div>
      )}
      <div className={classNames(flush !== true && 'card-body', flush === true && 'k-card-flush')}>{children}</div>
      {footer !== undefined && <div className="card-footer">{footer}</div>}
    </section>
  )
}
