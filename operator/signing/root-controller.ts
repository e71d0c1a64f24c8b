import { X509Certificate } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { KubeClient, ReconcileResult } from '@keelson/kube'
import type { Logger } from 'pino'
import type { Authority } from './authority.ts'
import { openRoots, publishBundle, writeRoots } from './authority-storage.ts'
import type { OperatorIdentities } from './operator-identities.ts'
import { takeStep } from './root-set.ts'
import { nextStep, phaseOf, type HostTrust } from './rotation.ts'

export type RootControllerOptions = {
  readonly client: KubeClient
  readonly authority: Authority
  readonly identities: OperatorIdentities
  readonly trust: () => readonly HostTrust[]
  readonly now: () => Date
  readonly intervalMs: number
  readonly logger: Logger
}

/** A root is replaced this long before it ends, of ten years: long enough for whoever is away. */
const replaceBeforeMs = 2 * 365 * 86_400_000
const maxNamesInLog = 20

/** Keeps Secret, ConfigMap and what is in memory the same, and takes the steps of a rotation when their time has come. */
export class RootController {
  readonly #options: RootControllerOptions
  #waitingFor = ''

  constructor(options: RootControllerOptions) {
    this.#options = options
  }

  async reconcile(_key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { client, authority, identities, now, logger, intervalMs } = this.#options
    // A Secret that somebody deleted is written again: every host would have to enrol anew without it.
    const stored = await openRoots(client, authority.roots, now(), signal)
    if (!isDeepStrictEqual(stored.roots, authority.roots)) authority.adopt(stored.roots)
    // Before any step: no root signs that was not handed out.
    await publishBundle(client, authority.bundle, signal)
    await identities.refresh()
    const { step, waitingFor } = nextStep(
      authority.rotation,
      this.#options.trust(),
      stored.rotationAsked || this.#endsSoon(),
      now().getTime(),
    )
    this.#tell(waitingFor)
    if (step === 'Stay') return { requeueAfterMs: intervalMs }
    const written = await writeRoots(client, stored, await takeStep(authority.roots, step, now()), signal)
    authority.adopt(written.roots)
    logger.info({ step, phase: phaseOf(authority.rotation) }, 'root rotation went on')
    await publishBundle(client, authority.bundle, signal)
    await identities.refresh()
    return { requeueAfterMs: 0 }
  }

  #endsSoon(): boolean {
    const { authority, now } = this.#options
    const { validToDate } = new X509Certificate(authority.roots.current.certificate)
    return now().getTime() > validToDate.getTime() - replaceBeforeMs
  }

  /** Once for each set of names. */
  #tell(waitingFor: readonly string[]): void {
    const names = waitingFor.slice(0, maxNamesInLog).join(', ')
    if (waitingFor.length > 0 && names !== this.#waitingFor)
      this.#options.logger.info({ hosts: names, count: waitingFor.length }, 'root rotation waits for hosts')
    this.#waitingFor = names
  }
}
