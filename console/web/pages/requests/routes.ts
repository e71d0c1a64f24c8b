import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'
import { composeStartOf, requestsViewOf } from './list-requests.ts'

export const requestsRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/requests',
    validateSearch: requestsViewOf,
    component: lazyRouteComponent(() => import('./requests-page.tsx'), 'RequestsPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/requests/new',
    validateSearch: composeStartOf,
    component: lazyRouteComponent(() => import('./compose-page.tsx'), 'ComposePage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/requests/$namespace/$name',
    component: lazyRouteComponent(() => import('./run-page.tsx'), 'RunPage'),
  }),
] as const
