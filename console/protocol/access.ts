import { z } from 'zod'
import { Label, Subdomain, Time } from './names.ts'
import { defineRoute } from './route.ts'
import { Password } from './session.ts'

export const roles = ['keelson-viewer', 'keelson-operator', 'keelson-admin', 'keelson-access'] as const

/** Words of the agent's API as RBAC knows them (hosts/sysctl …), and proxy for every other port and path. */
export const hostAreas = ['facts', 'hostname', 'sysctl', 'systemdUnit', 'proxy'] as const

/** A right as the console gives it: RBAC objects named after the account. */
export const Grant = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('Role'),
    role: z.enum(roles),
    namespaces: z
      .array(Label)
      .max(64)
      .describe(
        'Empty: a ClusterRoleBinding. Else RoleBindings there: they give the HostRequests of these namespaces and no right on hosts.',
      ),
  }),
  z.object({
    kind: z.literal('Hosts'),
    hosts: z
      .array(Subdomain)
      .max(24)
      .describe('Empty: all. A request may name at most 24 hosts where its author has rights on named ones.'),
    areas: z.array(z.enum(hostAreas)).min(1).max(hostAreas.length),
    access: z.enum(['Get', 'Update']).describe('Get: method GET only. Update: all methods.'),
  }),
])
export type Grant = z.infer<typeof Grant>

export const Account = z.object({
  name: Label,
  type: z.enum(['Person', 'Script']).describe('Script: a service account for programs, without a password.'),
  displayName: z.string().max(128),
  createdAt: Time,
  grants: z.array(Grant).max(32),
  others: z
    .array(z.string().max(512))
    .max(64)
    .describe(
      'Bindings that give this account rights and were not made here, as ClusterRoleBinding/NAME or RoleBinding/NAMESPACE/NAME.',
    ),
  signIn: z
    .enum(['Enabled', 'Disabled', 'Never'])
    .describe(
      'Enabled: it has a password. Disabled: it may not sign in. Never: no password was ever set, or it is a Script.',
    ),
  lastSignInAt: Time.optional(),
})
export type Account = z.infer<typeof Account>

const params = z.object({ name: Label })
const path = '/api/accounts/:name'

export const listAccounts = defineRoute({
  name: 'listAccounts',
  summary: 'People and scripts: the ServiceAccounts of keelson-users with what the console gave them',
  method: 'GET',
  path: '/api/accounts',
  answer: z.object({ accounts: z.array(Account).max(5_000) }),
})

export const getAccount = defineRoute({
  name: 'getAccount',
  summary: 'One account',
  method: 'GET',
  path,
  params,
  answer: Account,
})

export const createAccount = defineRoute({
  name: 'createAccount',
  summary:
    'Makes a person or a script, with rights; a person gets a first password, to be changed at the first sign-in',
  method: 'POST',
  path: '/api/accounts',
  body: z.strictObject({
    name: Label,
    type: z.enum(['Person', 'Script']),
    displayName: z.string().min(1).max(128),
    password: Password.optional().describe('Persons only.'),
    grants: z.array(Grant).max(32),
  }),
  answer: Account,
})

export const setGrants = defineRoute({
  name: 'setGrants',
  summary: 'The rights of an account, all that the console gives it',
  method: 'PUT',
  path: `${path}/grants`,
  params,
  body: z.strictObject({ grants: z.array(Grant).max(32) }),
  answer: Account,
})

export const setPassword = defineRoute({
  name: 'setPassword',
  summary: 'A new first password for a person; takes the right to make tokens of that account; ends its sessions',
  method: 'POST',
  path: `${path}/password`,
  params,
  body: z.strictObject({ password: Password }),
})

export const setSignIn = defineRoute({
  name: 'setSignIn',
  summary: 'Lets a person sign in, or not; not: ends its sessions',
  method: 'PUT',
  path: `${path}/sign-in`,
  params,
  body: z.strictObject({ enabled: z.boolean() }),
  answer: Account,
})

export const deleteAccount = defineRoute({
  name: 'deleteAccount',
  summary: 'Deletes the ServiceAccount, its bindings and its sign-in; every token of it ends',
  method: 'DELETE',
  path,
  params,
})

export const Token = z.object({
  name: Subdomain.describe('Of the Secret that the token lives and dies with.'),
  type: z.enum(['Expiring', 'LongLived']),
  createdAt: Time,
  expiresAt: Time.optional(),
})
export type Token = z.infer<typeof Token>

export const listTokens = defineRoute({
  name: 'listTokens',
  summary: 'Tokens that were given out for an account, without their values',
  method: 'GET',
  path: `${path}/tokens`,
  params,
  answer: z.object({ tokens: z.array(Token).max(500) }),
})

export const createToken = defineRoute({
  name: 'createToken',
  summary:
    'A token for a program. Expiring: by TokenRequest, bound to a Secret, so that it can be revoked. LongLived: a Secret of type service-account-token',
  method: 'POST',
  path: `${path}/tokens`,
  params,
  body: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('Expiring'), expirationSeconds: z.int().min(600).max(31_536_000) }),
    z.strictObject({ type: z.literal('LongLived') }),
  ]),
  answer: z.object({
    token: Token,
    value: z.string().max(4096).describe('Shown this once.'),
    kubeconfig: z.string().max(65_536).describe('A kubeconfig with this token, in YAML.'),
  }),
})

export const revokeToken = defineRoute({
  name: 'revokeToken',
  summary: 'Deletes the Secret of a token: it is worth nothing within seconds',
  method: 'DELETE',
  path: `${path}/tokens/:token`,
  params: z.object({ name: Label, token: Subdomain }),
})
