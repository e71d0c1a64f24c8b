import { refuseSpec, type HostRequestSpec, type HostRequestStatus } from '@keelson/api'
import { names, refusedVerdict, verdictOf, type Verdict } from './request-status.ts'
import type { Targets } from './targets.ts'

/**
 * Why nothing may be sent, if so. The spec is checked again, since the CRD in the cluster may be older than the operator; a name that no
 * Host has stops the whole request, since whoever mistyped one name may have mistyped the rest.
 */
export function refusalOf(spec: HostRequestSpec, { online, skipped, unknown }: Targets): Verdict | undefined {
  const [refusal] = refuseSpec(spec)
  if (refusal !== undefined)
    return refusedVerdict('SpecRefused', `${refusal.field}: ${refusal.message}; nothing was sent`)
  if (unknown.length > 0) {
    const hosts = unknown.map((host) => ({ host }))
    return refusedVerdict('UnknownWorkers', `no such host: ${names(hosts, 20)}; nothing was sent`)
  }
  if (online.length > 0) return undefined
  if (skipped.length === 0)
    return refusedVerdict('NoTargets', 'no host is meant by workers, hostSelector and targetType; nothing was sent')
  const { msg } = verdictOf({ targets: { online, skipped, unknown }, outcomes: [], ended: true })
  const counts = { targets: skipped.length, skipped: skipped.length }
  return refusedVerdict('NoTargets', `no target is online: ${msg}; nothing was sent`, counts)
}

export function beginVerdict(targets: Targets): Verdict {
  return verdictOf({ targets, outcomes: [], ended: false })
}

/** A run that was under way when its operator ended. Who of the rest got the request cannot be known, and it is not sent twice. */
export function interruptedVerdict({ counts, failures }: HostRequestStatus): Verdict {
  const unknown = counts.targets - counts.skipped - counts.succeeded - counts.failed
  const msg = `the operator ended during the run: ${unknown} hosts may or may not have got the request, it is not sent again; change the spec to run anew`
  return { ...refusedVerdict('Interrupted', msg, { ...counts, unknown }), failures }
}
