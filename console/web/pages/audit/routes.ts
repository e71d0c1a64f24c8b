import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { appRoute } from '../../routes.tsx'
import { auditViewOf } from './audit-view.ts'

export const auditRoutes = [
  createRoute({
    getParentRoute: () => appRoute,
    path: '/audit',
    validateSearch: auditViewOf,
    component: lazyRouteComponent(() => import('./audit-page.tsx'), 'AuditPage'),
  }),
] as const
