import { queryOptions, useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useRef } from 'react'
import { getPermissions, type Permissions } from '../../protocol/permissions.ts'
import { getSession, type Me, type Session } from '../../protocol/session.ts'
import { call, configureCalls } from '../call.ts'
import { showLanguage } from '../i18n/setup.ts'
import { liveClient } from '../live/use-live.ts'
import { presentLanguage, presentTheme, rememberLanguage } from '../preferences.ts'
import { queryClient } from '../query-client.ts'
import { chooseTheme } from '../theme.ts'

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session> => taken(await call(getSession, {}, signal)),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
})

async function taken(session: Session): Promise<Session> {
  configureCalls({ csrfToken: session.csrfToken })
  if (session.me !== undefined) await showPreferences(session.me)
  return session
}

async function showPreferences({ preferences: { language, theme } }: Me): Promise<void> {
  if (theme !== presentTheme()) chooseTheme(theme)
  if (language === presentLanguage()) return
  rememberLanguage(language)
  await showLanguage(language)
}

/** After signing in or out: what was held for whoever was there before is gone. */
export async function takeSession(session: Session): Promise<void> {
  liveClient.close()
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
  queryClient.setQueryData(sessionQuery.queryKey, await taken(session))
}

/** Asks who is signed in anew, and takes the new CSRF token: after a change of the password. */
export async function refreshSession(): Promise<void> {
  await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 })
  await queryClient.invalidateQueries({ queryKey: ['sessions'] })
}

/** After a change of the profile. */
export async function takeMe(me: Me): Promise<void> {
  await showPreferences(me)
  queryClient.setQueryData(sessionQuery.queryKey, (session) => session && { ...session, me })
}

/** The session has ended behind our back: asks who is there now, which also gives a new CSRF token. */
export async function sessionEnded(): Promise<void> {
  liveClient.close()
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
  await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch(() => undefined)
}

export function useSession(): Session | undefined {
  return useQuery({ ...sessionQuery, enabled: false }).data
}

/** Who is signed in. Only for pages inside the frame, which is not shown to anybody else; in the moment before it goes, who was signed in. */
export function useMe(): Me {
  const me = useSession()?.me
  const last = useRef(me)
  if (me !== undefined) last.current = me
  if (last.current === undefined) throw new Error('nobody is signed in')
  return last.current
}

/** What whoever is signed in may do, for showing and hiding alone: Kubernetes decides each call again. */
export function usePermissions(namespace?: string): UseQueryResult<Permissions> {
  return useQuery({
    queryKey: ['permissions', namespace ?? ''],
    queryFn: ({ signal }) => call(getPermissions, { query: namespace === undefined ? {} : { namespace } }, signal),
    // Asked again as somebody goes on or comes back, not by the clock: a page that is merely open must not keep its session alive.
    staleTime: 60_000,
  })
}

/** Whether a request may be written in any namespace, as far as is known. */
export function useMayCompose(): boolean {
  const where = usePermissions().data?.writeRequests
  return where === 'All' || (where?.length ?? 0) > 0
}
