import { IconSend } from '@tabler/icons-react'
import { useRouter } from '@tanstack/react-router'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { HostRow } from '../../../protocol/hosts.ts'
import { stringifySearch } from '../../search.ts'
import { Button, CopyButton } from '../../ui/index.ts'

/** As many as spec.workers of a HostRequest takes. */
const maxNamed = 1_024

interface SelectionBarProps {
  readonly items: readonly HostRow[]
  readonly shown: readonly HostRow[]
  readonly selected: ReadonlySet<string>
  readonly onClear: () => void
}

/** What can be done with the hosts that are selected: those that the filter hides are told, for they are selected all the same. */
export function SelectionBar({ items, shown, selected, onClear }: SelectionBarProps): ReactNode {
  const { t } = useTranslation()
  const router = useRouter()
  // Hosts that have gone meanwhile are not selected any more.
  const names = useMemo(() => items.filter(({ name }) => selected.has(name)).map(({ name }) => name), [items, selected])
  const hidden = useMemo(
    () => names.length - shown.filter(({ name }) => selected.has(name)).length,
    [names, shown, selected],
  )
  const isTooMany = names.length > maxNamed
  return (
    <div className="k-selection" role="group" aria-label={t('common.selected', { count: names.length })}>
      <strong aria-live="polite">{t('common.selected', { count: names.length })}</strong>
      {hidden > 0 && <span className="k-muted">{t('hosts.hiddenSelected', { count: hidden })}</span>}
      {isTooMany && <span className="k-muted">{t('hosts.tooMany', { limit: maxNamed })}</span>}
      <span className="k-selection-actions">
        <Button
          variant="primary"
          size="small"
          icon={<IconSend aria-hidden />}
          disabled={names.length === 0 || isTooMany}
          onClick={() => void router.navigate({ href: `/requests/new${stringifySearch({ hosts: names })}` })}
        >
          {t('hosts.composeFor', { count: names.length })}
        </Button>
        <CopyButton text={names.join('\n')} label={t('hosts.copyNames')} />
        <Button size="small" variant="ghost" onClick={onClear}>
          {t('hosts.unselect')}
        </Button>
      </span>
    </div>
  )
}
