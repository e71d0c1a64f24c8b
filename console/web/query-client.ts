import { QueryClient } from '@tanstack/react-query'
import { problemOf } from './problem-error.ts'

/** What was fetched and does not come by the live stream. Only what may be better a moment later is tried again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, error) => failures < 1 && [0, 502, 503].includes(problemOf(error).status),
      retryDelay: 1_000,
    },
    mutations: { retry: false },
  },
})
