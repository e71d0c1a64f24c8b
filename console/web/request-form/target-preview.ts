import { matchesSelector, type LabelSelector } from '@keelson/api'
import type { HostRow } from '../../protocol/hosts.ts'
import type { RequestForm } from './request-form.ts'
import { parseSelector, SelectorRefused } from './selector-text.ts'

/** Who would get the request if it began now. Every list is in the order of names. */
export interface TargetPreview {
  /** Hosts that it would be sent to. */
  readonly sent: readonly HostRow[]
  /** Meant, and offline: what becomes of them is said by onOffline. */
  readonly offline: readonly HostRow[]
  /** Online, and the agent does not answer: a request to it would fail. */
  readonly silent: readonly HostRow[]
  /** Named, but of another role or not selected. */
  readonly notTargeted: readonly string[]
  /** Named, and no Host bears the name: nothing at all would be sent. */
  readonly unknown: readonly string[]
}

/** The same hosts as the operator would choose, of those that are there. */
export function previewTargets(
  form: Pick<RequestForm, 'who' | 'names' | 'selector' | 'targetType' | 'onOffline'>,
  hosts: readonly HostRow[],
): TargetPreview {
  const selector = form.who === 'Every' ? {} : selectorOrNothing(form.selector)
  const byName = new Map(hosts.map((host) => [host.name, host]))
  const isMeant = (host: HostRow) =>
    selector !== undefined &&
    matchesSelector(selector, host.labels) &&
    (form.targetType === 'All' || form.targetType === host.role)
  const isNobody = form.who === 'Labels' && form.selector.trim() === ''
  const named = [...new Set(form.names)].toSorted()
  const candidates = form.who === 'Names' ? named.flatMap((name) => byName.get(name) ?? []) : sortedByName(hosts)
  const meant = isNobody ? [] : candidates.filter(isMeant)
  const isOnline = (host: HostRow) => host.online === 'True'
  const sent = form.onOffline === 'Skip' ? meant.filter(isOnline) : meant
  return {
    sent,
    offline: meant.filter((host) => !isOnline(host)),
    silent: meant.filter((host) => isOnline(host) && host.ready !== 'True'),
    notTargeted: form.who === 'Names' ? candidates.filter((host) => !isMeant(host)).map(({ name }) => name) : [],
    unknown: form.who === 'Names' ? named.filter((name) => !byName.has(name)) : [],
  }
}

/** Labels of the hosts with their values, the most frequent first: what a selector may be made of. */
export function labelsOf(hosts: readonly HostRow[]): { key: string; value: string; count: number }[] {
  const counts = new Map<string, { key: string; value: string; count: number }>()
  for (const { labels } of hosts) {
    for (const [key, value] of Object.entries(labels)) {
      const text = `${key}=${value}`
      const known = counts.get(text)
      if (known === undefined) counts.set(text, { key, value, count: 1 })
      else known.count += 1
    }
  }
  // What only one host has is its own name in one way or another.
  const shared = [...counts.values()].filter(({ count }) => count > 1 || hosts.length < 4)
  return shared.toSorted((a, b) => b.count - a.count || (`${a.key}=${a.value}` < `${b.key}=${b.value}` ? -1 : 1))
}

function selectorOrNothing(text: string): LabelSelector | undefined {
  try {
    return parseSelector(text)
  } catch (error) {
    if (error instanceof SelectorRefused) return undefined
    throw error
  }
}

function sortedByName(hosts: readonly HostRow[]): HostRow[] {
  return hosts.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
