import type { ReactNode } from 'react'
import { Toasts } from '../ui/toasts.tsx'
import { Brand } from './brand.tsx'
import { LanguageMenu, ThemeMenu } from './preference-menus.tsx'

/** A page without the frame: one card in the middle, language and theme above it. */
export function Standalone({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div className="k-entrance">
      <header className="k-entrance-top">
        <LanguageMenu />
        <ThemeMenu />
      </header>
      <main className="k-entrance-main">
        <div className="k-entrance-brand">
          <Brand />
        </div>
        <div className="card k-card">
          <div className="card-body">{children}</div>
        </div>
      </main>
      <Toasts />
    </div>
  )
}
