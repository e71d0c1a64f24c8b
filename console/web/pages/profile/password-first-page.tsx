import type { ReactNode } from 'react'

export function PasswordFirstPage(): ReactNode {
  return null
}
