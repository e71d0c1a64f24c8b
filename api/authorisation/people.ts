import { ApiServer } from '../admission/api-server.ts'
import { repeat } from '../admission/case.ts'
import { maxSecretParameters } from '../secret-policy.ts'
import { maxNamedHosts } from '../target-policy.ts'

export type Rule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

const on = (resource: string, verb: 'get' | 'update', resourceNames?: readonly string[]): Rule => ({
  apiGroups: ['keelson.dev'],
  resources: [resource],
  verbs: [verb],
  ...(resourceNames && { resourceNames }),
})

/** One more than a single request may name on the strength of these rights. */
export const manyHosts: readonly string[] = repeat(maxNamedHosts + 1, (index) => `host${index}`)

/** As many as one request may take values from. */
export const manySecrets: readonly string[] = repeat(maxSecretParameters, (index) => `secret${index}`)

const secrets = (verbs: readonly string[], resourceNames?: readonly string[]): Rule => ({
  apiGroups: [''],
  resources: ['secrets'],
  verbs,
  ...(resourceNames && { resourceNames }),
})

/** Rights on hosts and Secrets of people who may all write HostRequests everywhere. */
const people = {
  /** Changes of one type on every host. */
  everywhere: [on('hosts/sysctl', 'update')],
  /** Reads of one type on every host. */
  reader: [on('hosts/sysctl', 'get')],
  pair: [on('hosts/sysctl', 'update', ['node1', 'node2'])],
  many: [on('hosts/sysctl', 'update', manyHosts)],
  /** Every path and port but those of the agent's types. */
  proxy: [on('hosts/proxy', 'update')],
  /** Rights that only look like the one that counts, every verb of them. */
  neighbour: [
    { apiGroups: ['keelson.dev'], resources: ['hosts', 'hosts/status', 'hostrequests/sysctl'], verbs: ['*'] },
    { apiGroups: ['', 'example.com'], resources: ['hosts/sysctl'], verbs: ['*'] },
    { apiGroups: ['keelson.dev'], resources: ['hosts/sysctl'], verbs: ['create', 'patch', 'delete', 'list', 'watch'] },
  ],
  /** Every Secret. */
  keeper: [on('hosts/sysctl', 'update'), secrets(['get'])],
  /** All that the wildcard of verbs and resources holds, but in the group of Secrets. */
  wildcard: [on('hosts/sysctl', 'update'), { apiGroups: [''], resources: ['*'], verbs: ['*'] }],
  /** Secrets by name. */
  clerk: [on('hosts/sysctl', 'update'), secrets(['get'], manySecrets)],
  /** Every Secret of the namespace that the request is in, by a RoleBinding there. */
  local: [on('hosts/sysctl', 'update')],
  /** Every Secret of another namespace. */
  abroad: [on('hosts/sysctl', 'update')],
  /** Rights on Secrets that only look like the one that counts. */
  peeper: [
    on('hosts/sysctl', 'update'),
    secrets(['list', 'watch', 'create', 'update', 'patch', 'delete']),
    { apiGroups: ['keelson.dev', 'example.com'], resources: ['secrets'], verbs: ['*'] },
    { apiGroups: [''], resources: ['configmaps', 'secrets/status'], verbs: ['*'] },
  ],
  nobody: [],
} satisfies Record<string, readonly Rule[]>

export type Person = keyof typeof people
export type Sessions = Readonly<Record<Person, ApiServer>>

const namespace = 'people'
const names = Object.keys(people) as Person[]
const requests: Rule = { apiGroups: ['keelson.dev'], resources: ['hostrequests'], verbs: ['*'] }

export function userName(person: Person): string {
  return `system:serviceaccount:${namespace}:${person}`
}

/** Makes everybody's ServiceAccount and rights, and opens a session with the account's own token for each. */
export async function arrive(
  admin: ApiServer,
  kubeconfigOf: (namespace: string, name: string) => Promise<string>,
): Promise<Sessions> {
  for (const name of names) await grant(admin, name, [...people[name], requests], userName(name))
  await admin.create(`${rbac}/clusterroles`, { metadata: { name: secretReader }, rules: [secrets(['get'])] })
  const sessions: [Person, ApiServer][] = []
  for (const name of names) sessions.push([name, new ApiServer(await kubeconfigOf(namespace, name))])
  await bindWithin(admin, namespace, 'abroad')
  return Object.fromEntries(sessions) as Record<Person, ApiServer>
}

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const secretReader = 'secret-reader'

/** Lets `local` get the Secrets of the namespace. */
export async function settleIn(admin: ApiServer, where: string): Promise<void> {
  await bindWithin(admin, where, 'local')
}

async function bindWithin(admin: ApiServer, where: string, person: Person): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io'
  await admin.create(`${rbac}/namespaces/${where}/rolebindings`, {
    metadata: { name: person },
    roleRef: { apiGroup, kind: 'ClusterRole', name: secretReader },
    subjects: [{ apiGroup, kind: 'User', name: userName(person) }],
  })
}

/** A ClusterRole of these rules, bound to the user in the whole cluster. */
export async function grant(admin: ApiServer, name: string, rules: readonly Rule[], user: string): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io'
  const metadata = { name }
  const path = `/apis/${apiGroup}/v1`
  await admin.create(`${path}/clusterroles`, { metadata, rules })
  await admin.create(`${path}/clusterrolebindings`, {
    metadata,
    roleRef: { apiGroup, kind: 'ClusterRole', name },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  })
}

/** Whether the API server knows everybody's rights: what was made first is known first, so the last ones tell it. */
export async function rightsAreKnown(admin: ApiServer, where: string): Promise<boolean> {
  const [last, local] = [userName(names.at(-1)!), userName('local')]
  const act = { group: '', resource: 'secrets', verb: 'get', namespace: where }
  return (
    (await may(admin, last, { group: 'keelson.dev', resource: 'hostrequests', verb: 'create', namespace: where })) &&
    (await may(admin, local, act))
  )
}

export type Act = {
  readonly group: string
  readonly resource: string
  readonly verb: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
}

/** What the API server's authorisation says to an act, asked by a SubjectAccessReview. */
export async function may(admin: ApiServer, user: string, resourceAttributes: Act): Promise<boolean> {
  const review = { spec: { user, groups: ['system:authenticated'], resourceAttributes } }
  const { status } = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review)
  return (status as { allowed: boolean }).allowed
}
