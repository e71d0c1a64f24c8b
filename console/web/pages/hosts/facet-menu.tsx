import { IconChevronDown } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Checkbox, Menu } from '../../ui/index.ts'
import { type Facet, type HostsView } from './hosts-view.ts'
import { useFacetLabel } from './use-facet-label.ts'

interface FacetMenuProps {
  readonly facet: Facet
  readonly view: HostsView
  readonly counts: readonly (readonly [value: string, count: number])[]
  readonly onToggle: (facet: Facet, value: string) => void
}

/** The values of a facet, with how many hosts each would show. */
export function FacetMenu({ facet, view, counts, onToggle }: FacetMenuProps): ReactNode {
  const { t, i18n } = useTranslation()
  const labelOf = useFacetLabel()
  const chosen: readonly string[] = view[facet] ?? []
  const numbers = new Intl.NumberFormat(i18n.language)
  return (
    <Menu
      buttonClassName={chosen.length > 0 ? 'btn btn-sm k-facet-on' : 'btn btn-sm'}
      button={
        <>
          {t(`hosts.facets.${facet}`)}
          {chosen.length > 0 && <span className="k-facet-count">{chosen.length}</span>}
          <IconChevronDown aria-hidden size={14} />
        </>
      }
    >
      <div role="group" aria-label={t(`hosts.facets.${facet}`)}>
        {counts.length === 0 && <div className="k-menu-item k-muted">{t('hosts.facetNone')}</div>}
        {counts.map(([value, count]) => (
          <Checkbox
            key={value}
            className="k-facet-value"
            checked={chosen.includes(value)}
            onChange={() => onToggle(facet, value)}
            label={
              <>
                <span>{labelOf(facet, value)}</span>
                <span className="k-muted">{numbers.format(count)}</span>
              </>
            }
          />
        ))}
      </div>
    </Menu>
  )
}
