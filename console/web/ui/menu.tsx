import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { classNames } from './class-names.ts'

interface MenuProps {
  /** Content of the button. */
  readonly button: ReactNode
  /** Name of the button, where its content is a picture. */
  readonly label?: string
  readonly buttonClassName?: string
  readonly align?: 'start' | 'end'
  /** Where the panel opens: below the button, or above it. */
  readonly side?: 'below' | 'above'
  readonly children: ReactNode | ((close: () => void) => ReactNode)
}

/** A button that opens a panel: closes with Escape, with a click elsewhere and when the focus leaves it. What is in it is plain buttons, links and fields. */
export function Menu({
  button,
  label,
  buttonClassName = 'btn',
  align = 'start',
  side = 'below',
  children,
}: MenuProps): ReactNode {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const opener = useRef<HTMLButtonElement>(null)
  const panel = useId()
  useEffect(() => {
    if (!open) return undefined
    const outside = (event: Event) => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [open])
  const close = () => {
    setOpen(false)
    opener.current?.focus()
  }
  return (
    <div
      className="k-menu"
      ref={root}
      role="presentation"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return
        event.stopPropagation()
        close()
      }}
    >
      <button
        ref={opener}
        type="button"
        className={buttonClassName}
        aria-expanded={open}
        aria-controls={open ? panel : undefined}
        aria-label={label}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div
          id={panel}
          className={classNames('k-menu-panel', align === 'end' && 'k-menu-end', side === 'above' && 'k-menu-above')}
        >
          {typeof children === 'function' ? children(close) : children}
        </div>
      )}
    </div>
  )
}
