import { HostRequestSpec, refuseSpec, type Host, type HostRequestStatus } from '@keelson/api'
import { names, refusedVerdict, skippedGroups, type Verdict } from './request-status.ts'
import { resolveTargets, type Targets } from './targets.ts'

/** What a request comes to before anything is sent. */
export type Plan =
  | { readonly refused: Verdict }
  | { readonly refused?: undefined; readonly spec: HostRequestSpec; readonly targets: Targets }

/**
 * Which hosts get what, or why nobody gets anything. The spec is checked again, since the CRD in the cluster may be older than the operator;
 * a name that no Host has stops the whole request, since whoever mistyped one name may have mistyped the rest.
 */
export function planOf(wanted: unknown, hosts: readonly Host[]): Plan {
  const [refusal] = refuseSpec(wanted)
  if (refusal !== undefined)
    return { refused: refusedVerdict('SpecRefused', `${refusal.field}: ${refusal.message}; nothing was sent`) }
  const spec = HostRequestSpec.parse(wanted)
  const targets = resolveTargets(spec, hosts)
  const refused = refusalOf(targets)
  return refused === undefined ? { spec, targets } : { refused }
}

function refusalOf({ online, skipped, unknown }: Targets): Verdict | undefined {
  if (unknown.length > 0) {
    const hosts = unknown.map((host) => ({ host }))
    return refusedVerdict('UnknownWorkers', `no such host: ${names(hosts, 20)}; nothing was sent`)
  }
  if (online.length > 0) return undefined
  const counts = { targets: skipped.length, skipped: skipped.length }
  const why =
    skipped.length > 0
      ? `no host to send to: ${skippedGroups(skipped).join('; ')}`
      : 'no host is meant by workers, hostSelector and targetType'
  return refusedVerdict('NoTargets', `${why}; nothing was sent`, counts)
}

/** A run that was under way when its operator ended. Who of the rest got the request cannot be known, and it is not sent twice. */
export function interruptedVerdict({ counts, failures }: HostRequestStatus): Verdict {
  const unknown = Math.max(0, counts.targets - counts.skipped - counts.succeeded - counts.failed)
  const msg = `the operator ended during the run: ${unknown} hosts may or may not have got the request, it is not sent again; change the spec to run anew`
  return { ...refusedVerdict('Interrupted', msg, { ...counts, unknown }), failures }
}
