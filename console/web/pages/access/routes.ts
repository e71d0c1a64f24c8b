import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import type { Account } from '../../../protocol/access.ts'
import { appRoute } from '../../routes.tsx'
import { oneOf, textOf, type Search } from '../../search.ts'

interface AccessSearch {
  readonly q?: string
  readonly type?: Account['type']
}

export const accessRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/access',
    validateSearch: (search: Search): AccessSearch => {
      const [q, type] = [textOf(search['q']), oneOf(search['type'], ['Person', 'Script'])]
      return { ...(q !== '' && { q }), ...(type !== undefined && { type }) }
    },
    component: lazyRouteComponent(() => import('./access-page.tsx'), 'AccessPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/access/$name',
    component: lazyRouteComponent(() => import('./account-page.tsx'), 'AccountPage'),
  }),
] as const
