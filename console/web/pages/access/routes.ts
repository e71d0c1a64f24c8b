import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'

export const accessRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/access',
    component: lazyRouteComponent(() => import('./access-page.tsx'), 'AccessPage'),
  }),
  createRoute({
    getParentRoute: () => appRoute,
    path: '/access/$name',
    component: lazyRouteComponent(() => import('./account-page.tsx'), 'AccountPage'),
  }),
] as const
