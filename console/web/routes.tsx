import { createRootRouteWithContext, createRoute, Outlet, redirect } from '@tanstack/react-router'
import type { QueryClient } from '@tanstack/react-query'
import { AppFrame } from './frame/app-frame.tsx'
import { NotFoundPage, PageFailed } from './frame/page-states.tsx'
import { sessionQuery } from './session/session.ts'

export interface RouterContext {
  readonly queryClient: QueryClient
}

export const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  errorComponent: PageFailed,
  notFoundComponent: NotFoundPage,
})

/** Every page that takes a session: who has none is sent to the sign-in page, and back afterwards. */
export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery)
    if (session.me !== undefined) return
    const next = location.href === '/' ? {} : { next: location.href }
    throw redirect({ to: '/sign-in', search: next })
  },
  component: AppFrame,
  errorComponent: PageFailed,
  notFoundComponent: NotFoundPage,
})
