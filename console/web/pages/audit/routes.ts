import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'

export const auditRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/audit',
    component: lazyRouteComponent(() => import('./audit-page.tsx'), 'AuditPage'),
  }),
] as const
