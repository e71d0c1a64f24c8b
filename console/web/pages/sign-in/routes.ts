import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { rootRoute } from '../../routes.tsx'
import { textOf } from '../../search.ts'
import { sessionQuery } from '../../session/session.ts'

/** Pages without a session. */
export const entranceRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/sign-in',
    validateSearch: (search: Record<string, unknown>): { readonly next?: string } => {
      const next = textOf(search['next'])
      return next === '' ? {} : { next }
    },
    beforeLoad: async ({ context }) => {
      const session = await context.queryClient.ensureQueryData(sessionQuery)
      if (session.me !== undefined) throw redirect({ to: '/' })
    },
    component: lazyRouteComponent(() => import('./sign-in-page.tsx'), 'SignInPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/bootstrap',
    beforeLoad: async ({ context }) => {
      await context.queryClient.ensureQueryData(sessionQuery)
    },
    component: lazyRouteComponent(() => import('../bootstrap/bootstrap-page.tsx'), 'BootstrapPage'),
  }),
] as const
