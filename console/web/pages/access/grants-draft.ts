import { hostAreas, roles, type Grant } from '../../../protocol/access.ts'
import { Label, Subdomain } from '../../../protocol/names.ts'

export type Role = (typeof roles)[number]
export type HostArea = (typeof hostAreas)[number]

export const places = ['Nowhere', 'Everywhere', 'Namespaces'] as const
type Place = (typeof places)[number]

export interface RoleDraft {
  readonly place: Place
  /** As typed: names with spaces, commas or line breaks between them. */
  readonly namespaces: string
}

export interface HostsDraft {
  /** Tells one row from another while they are edited. */
  readonly id: number
  readonly every: boolean
  /** As typed. */
  readonly hosts: string
  readonly areas: readonly HostArea[]
  readonly access: 'Get' | 'Update'
}

/** Rights while somebody edits them. */
export interface GrantsDraft {
  readonly roles: Readonly<Record<Role, RoleDraft>>
  readonly hosts: readonly HostsDraft[]
}

/** What is wrong with a field, where it is; `names` are the ones that are no names. */
export type DraftProblem = { readonly names?: readonly string[] } & (
  | {
      readonly role: Role
      readonly reason: 'NamespacesMissing' | 'NamespacesRefused' | 'NamespacesTooMany'
    }
  | {
      readonly hosts: number
      readonly reason: 'HostsMissing' | 'HostsRefused' | 'HostsTooMany' | 'AreasMissing'
    }
)

const maxNamespaces = 64
const maxHosts = 24
export const maxGrants = 32

/** keelson-access is about all accounts or none. */
export function hasNamespaces(role: Role): boolean {
  return role !== 'keelson-access'
}

export function draftOf(grants: readonly Grant[]): GrantsDraft {
  const draft = (role: Role): RoleDraft => {
    const ofRole = grants.filter((grant) => grant.kind === 'Role').filter((grant) => grant.role === role)
    const everywhere = ofRole.some(({ namespaces }) => namespaces.length === 0)
    const place = ofRole.length === 0 ? 'Nowhere' : everywhere ? 'Everywhere' : 'Namespaces'
    // With the right everywhere those of single namespaces add nothing.
    return { place, namespaces: everywhere ? '' : ofRole.flatMap(({ namespaces }) => namespaces).join(', ') }
  }
  return {
    roles: Object.fromEntries(roles.map((role) => [role, draft(role)])) as Record<Role, RoleDraft>,
    hosts: grants
      .filter((grant) => grant.kind === 'Hosts')
      .map(({ hosts, areas, access }, id) => ({
        id,
        every: hosts.length === 0,
        hosts: hosts.join(', '),
        areas,
        access,
      })),
  }
}

export function newHosts({ hosts }: GrantsDraft): HostsDraft {
  return {
    id: Math.max(-1, ...hosts.map(({ id }) => id)) + 1,
    every: false,
    hosts: '',
    areas: ['facts'],
    access: 'Get',
  }
}

/** The names in a text, none of them twice. */
export function namesIn(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,;，、；]+/u).filter((name) => name !== ''))]
}

export interface DraftReading {
  readonly grants: Grant[]
  readonly problems: readonly DraftProblem[]
}

/** The rights that a draft means. They may be sent if there are no problems. */
export function readDraft(draft: GrantsDraft): DraftReading {
  const grants: Grant[] = []
  const problems: DraftProblem[] = []
  for (const role of roles) {
    const { place, namespaces: text } = draft.roles[role]
    if (place === 'Nowhere') continue
    const namespaces = place === 'Everywhere' ? [] : namesIn(text)
    const refused = namespaces.filter((name) => !Label.safeParse(name).success)
    if (place === 'Namespaces' && namespaces.length === 0) problems.push({ role, reason: 'NamespacesMissing' })
    else if (refused.length > 0) problems.push({ role, reason: 'NamespacesRefused', names: refused })
    else if (namespaces.length > maxNamespaces) problems.push({ role, reason: 'NamespacesTooMany' })
    grants.push({ kind: 'Role', role, namespaces: [...namespaces] })
  }
  for (const { id, every, hosts: text, areas, access } of draft.hosts) {
    const hosts = every ? [] : namesIn(text)
    const refused = hosts.filter((name) => !Subdomain.safeParse(name).success)
    if (areas.length === 0) problems.push({ hosts: id, reason: 'AreasMissing' })
    if (!every && hosts.length === 0) problems.push({ hosts: id, reason: 'HostsMissing' })
    else if (refused.length > 0) problems.push({ hosts: id, reason: 'HostsRefused', names: refused })
    else if (hosts.length > maxHosts) problems.push({ hosts: id, reason: 'HostsTooMany' })
    grants.push({ kind: 'Hosts', hosts: [...hosts], areas: hostAreas.filter((area) => areas.includes(area)), access })
  }
  return { grants, problems }
}
