import { HostRequestSpec, refuseSpec, type Host } from '@keelson/api'
import { names, type Refusal } from './verdict.ts'
import { resolveTargets, type Targets } from './targets.ts'

/** What a request comes to before anything is sent. */
export type Plan =
  | { readonly refused: Refusal }
  | { readonly refused?: undefined; readonly spec: HostRequestSpec; readonly targets: Targets }

/**
 * Which hosts get what, or why nobody gets anything. The spec is checked again, since the CRD in the cluster may be older than the operator;
 * a name that no Host has stops the whole request, since whoever mistyped one name may have mistyped the rest.
 */
export function planOf(wanted: unknown, hosts: readonly Host[]): Plan {
  const [refusal] = refuseSpec(wanted)
  if (refusal !== undefined)
    return { refused: { reason: 'SpecRefused', msg: `${refusal.field}: ${refusal.message}; nothing was sent` } }
  const spec = HostRequestSpec.parse(wanted)
  const targets = resolveTargets(spec, hosts)
  if (targets.unknown.length > 0)
    return {
      refused: { reason: 'UnknownWorkers', msg: `no such host: ${names(targets.unknown, 20)}; nothing was sent` },
    }
  if (targets.names.length === 0) {
    const msg = 'no host is meant by workers, hostSelector and targetType; nothing was sent'
    return { refused: { reason: 'NoTargets', msg } }
  }
  return { spec, targets }
}
