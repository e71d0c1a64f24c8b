import { matchesSelector, type Host, type HostRequestSpec } from '@keelson/api'

export type Targets = {
  /** Hosts that the request is about, by name: all that are named, else all that are meant. */
  readonly names: readonly string[]
  /** Those of them that are named but not meant: of another role, or not selected. */
  readonly notTargeted: readonly string[]
  /** Names in `workers` that no Host has, by name. Not empty: nothing may be sent. */
  readonly unknown: readonly string[]
}

/** Which hosts a request is for, of those that there are. Pure; every list is in the order of names. */
export function resolveTargets(spec: HostRequestSpec, hosts: readonly Host[]): Targets {
  const byName = new Map(hosts.map((host) => [host.metadata.name, host]))
  const named = [...new Set(spec.workers.map(({ name }) => name))].toSorted()
  const meant = (name: string) => isMeant(spec, byName.get(name)!)
  if (named.length === 0) {
    // Only who is named is missed; of all hosts, those that are not meant are not worth a word.
    return { names: [...byName.keys()].filter(meant).toSorted(), notTargeted: [], unknown: [] }
  }
  const names = named.filter((name) => byName.has(name))
  return {
    names,
    notTargeted: names.filter((name) => !meant(name)),
    unknown: named.filter((name) => !byName.has(name)),
  }
}

export function isMeant({ hostSelector, http }: HostRequestSpec, host: Host): boolean {
  if (hostSelector !== undefined && !matchesSelector(hostSelector, host.metadata.labels ?? {})) return false
  return http.targetType === 'All' || http.targetType === host.status?.role
}

/** Online is what the operator last saw of the host's Node, not what a caller says. */
export function isOnline(host: Host): boolean {
  return host.status?.conditions.some(({ type, status }) => type === 'Online' && status === 'True') ?? false
}
