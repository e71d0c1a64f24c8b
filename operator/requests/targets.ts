import type { Host, HostRequestSpec } from '@keelson/api'
import { internalAddress } from '../hosts/host-object.ts'
import { matchesSelector } from './selector.ts'

export type Target = {
  readonly host: string
  /** The address that the request is sent to; not checked yet. Undefined where the Host has none. */
  readonly address: string | undefined
}

export type Skipped = {
  readonly host: string
  /** Offline: its Node is not Ready. NotTargeted: named, but of another role or not selected. */
  readonly reason: 'Offline' | 'NotTargeted'
}

export type Targets = {
  /** Hosts that get the request, by name. */
  readonly online: readonly Target[]
  /** By name. */
  readonly skipped: readonly Skipped[]
  /** Names in `workers` that no Host has. Not empty: nothing may be sent. */
  readonly unknown: readonly string[]
}

/** Which hosts a request is for, of those that there are. Pure; every list is in the order of names. */
export function resolveTargets(spec: HostRequestSpec, hosts: readonly Host[]): Targets {
  const byName = new Map(hosts.map((host) => [host.metadata.name, host]))
  const named = [...new Set(spec.workers.map(({ name }) => name))].toSorted()
  const unknown = named.filter((name) => !byName.has(name))
  const candidates = named.length > 0 ? named.filter((name) => byName.has(name)) : [...byName.keys()].toSorted()
  const online: Target[] = []
  const skipped: Skipped[] = []
  for (const name of candidates) {
    const host = byName.get(name)!
    if (!isChosen(spec, host)) {
      // Only who is named is missed; of all hosts, those that are not meant are not worth a word.
      if (named.length > 0) skipped.push({ host: name, reason: 'NotTargeted' })
    } else if (isOnline(host)) online.push({ host: name, address: internalAddress(host.status?.addresses ?? []) })
    else skipped.push({ host: name, reason: 'Offline' })
  }
  return { online, skipped, unknown }
}

function isChosen({ hostSelector, http }: HostRequestSpec, host: Host): boolean {
  if (hostSelector !== undefined && !matchesSelector(hostSelector, host.metadata.labels ?? {})) return false
  return http.targetType === 'All' || http.targetType === host.status?.role
}

/** Online is what the operator last saw of the host's Node, not what a caller says. */
function isOnline(host: Host): boolean {
  return host.status?.conditions.some(({ type, status }) => type === 'Online' && status === 'True') ?? false
}
