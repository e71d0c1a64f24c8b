import { createLink } from '@tanstack/react-router'
import type { ComponentProps, ReactNode } from 'react'
import { classNames } from './class-names.ts'

type Variant = 'primary' | 'secondary' | 'danger' | 'ghost'

interface Look {
  readonly variant?: Variant
  readonly size?: 'small' | 'normal'
  readonly icon?: ReactNode
}

const classesOf: Readonly<Record<Variant, string>> = {
  primary: 'btn btn-primary',
  secondary: 'btn',
  danger: 'btn btn-danger',
  ghost: 'btn k-btn-ghost',
}

interface ButtonProps extends Look, Omit<ComponentProps<'button'>, 'type'> {
  readonly type?: 'button' | 'submit'
  /** Its work is under way: it says so and does not take a second click. */
  readonly busy?: boolean
}

export function Button({
  variant = 'secondary',
  size = 'normal',
  icon,
  busy = false,
  type = 'button',
  className,
  children,
  onClick,
  ...rest
}: ButtonProps): ReactNode {
  return (
    <button
      {...rest}
      type={type === 'submit' ? 'submit' : 'button'}
      className={classNames(classesOf[variant], size === 'small' && 'btn-sm', busy && 'k-busy', className)}
      aria-busy={busy || undefined}
      // Not disabled while busy: the focus would be lost.
      aria-disabled={busy || rest['aria-disabled']}
      onClick={(event) => {
        if (busy) event.preventDefault()
        else onClick?.(event)
      }}
    >
      {busy ? <span className="k-spinner" aria-hidden="true" /> : icon}
      {children}
    </button>
  )
}

interface AnchorProps extends Look, Omit<ComponentProps<'a'>, 'children'> {
  readonly children?: ReactNode
}

function Anchor({
  variant = 'secondary',
  size = 'normal',
  icon,
  className,
  children,
  ...rest
}: AnchorProps): ReactNode {
  return (
    <a {...rest} className={classNames(classesOf[variant], size === 'small' && 'btn-sm', className)}>
      {icon}
      {children}
    </a>
  )
}

/** A link that looks like a button: `<LinkButton to="/requests/new">`. */
export const LinkButton = createLink(Anchor)
