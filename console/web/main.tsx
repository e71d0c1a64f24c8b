import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { configureCalls } from './call.ts'
import { showLanguage } from './i18n/setup.ts'
import { onStreamRefused } from './live/use-live.ts'
import { presentLanguage } from './preferences.ts'
import { queryClient } from './query-client.ts'
import { router } from './router.tsx'
import { sessionEnded, sessionQuery } from './session/session.ts'
import './styles/tokens.css'
import './styles/frame.css'
import './styles/components.css'
import './styles/grid.css'
import './styles/hosts.css'
import './styles/requests.css'
import './styles/overview.css'
import './theme.ts'

let asking: Promise<void> | undefined

/** Nobody is signed in any more, as a call has shown: the guard of the routes leads to the sign-in page and back. Many calls may fail at once. */
function signedOut(): void {
  asking ??= sessionEnded()
    .then(() => router.invalidate())
    .finally(() => {
      asking = undefined
    })
}

configureCalls({ signedOut })
onStreamRefused(() => {
  void queryClient
    .fetchQuery({ ...sessionQuery, staleTime: 0 })
    .then(({ me }) => {
      if (me === undefined) signedOut()
    })
    .catch(() => undefined)
})

await showLanguage(presentLanguage())
createRoot(document.querySelector('#root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
