import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'

export const hostRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/hosts/$name',
    component: lazyRouteComponent(() => import('./host-page.tsx'), 'HostPage'),
  }),
] as const
