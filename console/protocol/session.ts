import { z } from 'zod'
import { Label, Time } from './names.ts'
import { defineRoute } from './route.ts'

export const Password = z.string().min(12).max(256).describe('12 to 256 characters; no common one.')

export const Preferences = z.object({
  language: z.enum(['en', 'zh-CN']),
  theme: z.enum(['light', 'dark', 'system']),
  timeZone: z.string().max(63).describe('IANA name as Europe/Berlin, or empty: that of the browser.'),
})
export type Preferences = z.infer<typeof Preferences>

export const Me = z.object({
  name: Label.describe('Name of the account, and of its ServiceAccount in keelson-users.'),
  displayName: z.string().max(128),
  preferences: Preferences,
  mustChangePassword: z
    .boolean()
    .describe(
      'True: somebody else set the password; only changePassword and signOut are answered until it is changed.',
    ),
})
export type Me = z.infer<typeof Me>

export const Session = z.object({
  me: Me.optional().describe('Absent: nobody is signed in.'),
  csrfToken: z.string().max(128).describe('Goes into the header X-CSRF-Token of everything that is not GET.'),
  bootstrapOpen: z
    .boolean()
    .describe('True: nobody has an account yet; the link in the log of the console makes the first one.'),
  idleSeconds: z.int().describe('A session ends after so long without a call.'),
})
export type Session = z.infer<typeof Session>

export const getSession = defineRoute({
  name: 'getSession',
  summary: 'Who is signed in, and the CSRF token',
  method: 'GET',
  path: '/api/session',
  access: 'Public',
  answer: Session,
})

export const signIn = defineRoute({
  name: 'signIn',
  summary: 'Signs in; the session is a new one',
  method: 'POST',
  path: '/api/session',
  access: 'Public',
  body: z.strictObject({ name: z.string().min(1).max(63), password: z.string().min(1).max(256) }),
  answer: Session,
})

export const signOut = defineRoute({
  name: 'signOut',
  summary: 'Ends the session',
  method: 'DELETE',
  path: '/api/session',
})

export const bootstrap = defineRoute({
  name: 'bootstrap',
  summary: 'Sets the password of the first administrator, once, with the token from the log, and signs in',
  method: 'POST',
  path: '/api/bootstrap',
  access: 'Public',
  body: z.strictObject({
    token: z.string().min(1).max(128),
    displayName: z.string().min(1).max(128),
    password: Password,
  }),
  answer: Session,
})

export const setPreferences = defineRoute({
  name: 'setPreferences',
  summary: 'Language, theme, time zone and display name of whoever is signed in',
  method: 'PATCH',
  path: '/api/profile',
  body: z.strictObject({ ...Preferences.partial().shape, displayName: z.string().min(1).max(128).optional() }),
  answer: Me,
})

export const changePassword = defineRoute({
  name: 'changePassword',
  summary: 'A new password for whoever is signed in; all other sessions of the account end',
  method: 'POST',
  path: '/api/profile/password',
  body: z.strictObject({ current: z.string().min(1).max(256), next: Password }),
})

export const SessionSummary = z.object({
  id: z.string().max(63),
  current: z.boolean(),
  createdAt: Time,
  lastSeenAt: Time,
  address: z.string().max(63),
  userAgent: z.string().max(256),
})

export const listSessions = defineRoute({
  name: 'listSessions',
  summary: 'Where this account is signed in',
  method: 'GET',
  path: '/api/profile/sessions',
  answer: z.object({ sessions: z.array(SessionSummary).max(100) }),
})

export const endSession = defineRoute({
  name: 'endSession',
  summary: 'Ends one session of this account',
  method: 'DELETE',
  path: '/api/profile/sessions/:id',
  params: z.object({ id: z.string().max(63) }),
})
