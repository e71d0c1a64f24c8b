import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'

export const hostsRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/hosts',
    component: lazyRouteComponent(() => import('./hosts-page.tsx'), 'HostsPage'),
  }),
] as const
