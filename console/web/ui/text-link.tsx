import { useRouter } from '@tanstack/react-router'
import type { MouseEvent, ReactNode } from 'react'

interface TextLinkProps {
  readonly href: string
  readonly className?: string
  readonly title?: string
  readonly children: ReactNode
}

/** A link to one of our pages, for rows of which there are many: it does not follow where the router is, as `Link` does. Not in the order of Tab. */
export function TextLink({ href, className, title, children }: TextLinkProps): ReactNode {
  const router = useRouter()
  const go = (event: MouseEvent) => {
    // Another tab or window, or a download: the browser does that by itself.
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    void router.navigate({ href })
  }
  return (
    <a href={href} className={className} title={title} tabIndex={-1} onClick={go}>
      {children}
    </a>
  )
}
