import { useId, useRef, type ReactNode } from 'react'

interface TabsProps<Key extends string> {
  readonly label: string
  readonly tabs: readonly { readonly key: Key; readonly label: ReactNode }[]
  readonly current: Key
  readonly onChange: (key: Key) => void
  /** Content of the present tab. */
  readonly children: ReactNode
}

/** Tabs as ARIA has them: one stop of the Tab key, arrow keys, Home and End move. */
export function Tabs<Key extends string>({ label, tabs, current, onChange, children }: TabsProps<Key>): ReactNode {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const move = (to: number) => {
    const tab = tabs[(to + tabs.length) % tabs.length]
    if (tab === undefined) return
    onChange(tab.key)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[tabs.indexOf(tab)]?.focus()
  }
  const index = tabs.findIndex(({ key }) => key === current)
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: index + 1,
    ArrowLeft: index - 1,
    Home: 0,
    End: tabs.length - 1,
  }
  return (
    <div className="k-tabs">
      <div className="k-tab-list" role="tablist" aria-label={label} ref={list}>
        {tabs.map((tab) => (
          <button
            key={tab.key}
            type="button"
            role="tab"
            id={`${id}-${tab.key}`}
            className="k-tab"
            aria-selected={tab.key === current}
            aria-controls={`${id}-panel`}
            tabIndex={tab.key === current ? 0 : -1}
            onClick={() => onChange(tab.key)}
            onKeyDown={(event) => {
              const to = steps[event.key]
              if (to === undefined) return
              event.preventDefault()
              move(to)
            }}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current}`}>
        {children}
      </div>
    </div>
  )
}
