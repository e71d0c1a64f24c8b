import type { ReactNode } from 'react'
import { classNames } from './class-names.ts'

export interface TableColumn<Row> {
  readonly key: string
  readonly header: ReactNode
  readonly render: (row: Row) => ReactNode
  readonly align?: 'end'
  /** As narrow as its content. */
  readonly narrow?: boolean
}

interface TableProps<Row> {
  /** What the table holds, for screen readers. */
  readonly label: string
  readonly columns: readonly TableColumn<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
}

/** A table of at most a few hundred rows; Grid is for more. The first column names the row. */
export function Table<Row>({ label, columns, rows, rowKey }: TableProps<Row>): ReactNode {
  const cellClass = ({ align, narrow }: TableColumn<Row>) =>
    classNames(align === 'end' && 'k-end', narrow === true && 'k-narrow')
  return (
    <div className="k-table-scroll" role="group" aria-label={label} tabIndex={0}>
      <table className="table k-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={cellClass(column)}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.key} scope="row" className={cellClass(column)}>
                    {column.render(row)}
                  </th>
                ) : (
                  <td key={column.key} className={cellClass(column)}>
                    {column.render(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Terms and what they are, in one or two columns. */
export function Facts({
  items,
}: {
  readonly items: readonly (readonly [term: string, value: ReactNode])[]
}): ReactNode {
  return (
    <dl className="k-facts">
      {items.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
