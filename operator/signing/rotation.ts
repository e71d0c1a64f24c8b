/**
 * How one root replaces another while some hosts are away, as a pure state machine over whatever stands for a root.
 *
 * - Steady: one root, which signs.
 * - Announcing: the next root is in every bundle that is handed out; the current one still signs.
 * - Replacing: the new root signs; the previous one stays in the bundles, and a cross-certificate lets the operator be verified by hosts that
 *   know nothing but the previous one.
 */
export type Rotation<Root> = {
  readonly current: Root
  readonly next?: Root
  readonly previous?: Root
}

export type Phase = 'Steady' | 'Announcing' | 'Replacing'

export type Step = 'Stay' | 'Announce' | 'Sign' | 'Drop'

/** What is known about the trust that one host's agent holds. */
export type HostTrust = {
  readonly host: string
  /** Its agent answers. */
  readonly reachable: boolean
  /** The roots in the bundle that it was seen to take; undefined where it is not known. */
  readonly bundle: readonly string[] | undefined
  /** The root that signed its certificate; undefined where it is not known. */
  readonly signer: string | undefined
  /** Milliseconds since the epoch: its certificate is of no use from then on. An upper bound where it is not known. */
  readonly expiresAt: number
}

export function phaseOf({ next, previous }: Rotation<unknown>): Phase {
  if (next !== undefined) return 'Announcing'
  return previous === undefined ? 'Steady' : 'Replacing'
}

/** The roots of the bundle, the one that signs first; never more than two. */
export function trustedRoots<Root>({ current, next, previous }: Rotation<Root>): Root[] {
  return [current, next, previous].filter((root) => root !== undefined)
}

/**
 * The step to take now, and the hosts for which the rotation waits, in the order in which they were given.
 *
 * @param wanted whether a rotation is to begin; of no meaning while one is under way
 * @param now milliseconds since the epoch
 */
export function nextStep(
  rotation: Rotation<string>,
  hosts: readonly HostTrust[],
  wanted: boolean,
  now: number,
): { readonly step: Step; readonly waitingFor: readonly string[] } {
  const { current, next } = rotation
  const phase = phaseOf(rotation)
  if (phase === 'Steady') return { step: wanted ? 'Announce' : 'Stay', waitingFor: [] }
  const blocks = (host: HostTrust): boolean =>
    phase === 'Announcing'
      ? // One that is away is reached later by the cross-certificate.
        host.reachable && host.bundle?.includes(next!) !== true
      : // One that is away keeps the previous root alive until nobody could tell its certificate from a stranger's anyway.
        host.signer !== current && host.expiresAt > now
  const waitingFor = hosts.filter(blocks).map(({ host }) => host)
  if (waitingFor.length > 0) return { step: 'Stay', waitingFor }
  return { step: phase === 'Announcing' ? 'Sign' : 'Drop', waitingFor }
}

/** The rotation after a step. `fresh` makes the root that `Announce` brings in. */
export function advance<Root>(rotation: Rotation<Root>, step: Step, fresh: () => Root): Rotation<Root> {
  const { current, next } = rotation
  switch (step) {
    case 'Stay':
      return rotation
    case 'Announce':
      return { current, next: fresh() }
    case 'Sign':
      return next === undefined ? rotation : { current: next, previous: current }
    case 'Drop':
      return { current }
  }
}
