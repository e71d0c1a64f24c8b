import { createRouter } from '@tanstack/react-router'
import { accessRoutes } from './pages/access/routes.ts'
import { auditRoutes } from './pages/audit/routes.ts'
import { hostRoutes } from './pages/host/routes.ts'
import { hostsRoutes } from './pages/hosts/routes.ts'
import { overviewRoutes } from './pages/overview/routes.ts'
import { profileRoutes } from './pages/profile/routes.ts'
import { requestsRoutes } from './pages/requests/routes.ts'
import { entranceRoutes } from './pages/sign-in/routes.ts'
import { queryClient } from './query-client.ts'
import { appRoute, rootRoute } from './routes.tsx'
import { parseSearch, stringifySearch } from './search.ts'
import { Loading } from './ui/states.tsx'

const routeTree = rootRoute.addChildren([
  ...entranceRoutes,
  appRoute.addChildren([
    ...overviewRoutes,
    ...hostsRoutes,
    ...hostRoutes,
    ...requestsRoutes,
    ...accessRoutes,
    ...auditRoutes,
    ...profileRoutes,
  ]),
])

export const router = createRouter({
  routeTree,
  context: { queryClient },
  parseSearch,
  stringifySearch,
  // The code of a page is fetched as the pointer comes near its link.
  defaultPreload: 'intent',
  defaultPendingComponent: Loading,
  defaultPendingMs: 300,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
