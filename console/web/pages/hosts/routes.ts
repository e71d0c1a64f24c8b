import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'
import { hostsViewOf } from './hosts-view.ts'

export const hostsRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/hosts',
    validateSearch: hostsViewOf,
    component: lazyRouteComponent(() => import('./hosts-page.tsx'), 'HostsPage'),
  }),
] as const
