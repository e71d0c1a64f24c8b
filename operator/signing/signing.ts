import { agentSigner, type Host } from '@keelson/api'
import {
  ConflictError,
  Controller,
  keyOf,
  kinds,
  Reflector,
  WorkQueue,
  type Change,
  type KubeClient,
  type MetricsSink,
} from '@keelson/kube'
import type { Logger } from 'pino'
import type { AgentEndpoint } from './agent-connection.ts'
import { Authority, type AuthorityOptions } from './authority.ts'
import { openRoots, publishBundle } from './authority-storage.ts'
import { CertificateRequestController } from './csr-controller.ts'
import { OperatorIdentities } from './operator-identities.ts'
import { isReady, Renewal } from './renewal.ts'
import { RootController } from './root-controller.ts'

export type SigningOptions = AuthorityOptions & {
  readonly client: KubeClient
  readonly hosts: Reflector<Host>
  /** Where a Host's agent is; undefined where it has no address that may be connected to. */
  readonly endpointOf: (host: Host) => AgentEndpoint | undefined
  /** What that rests on, beside the hosts. */
  readonly endpointSources?: readonly Pick<Reflector<Host>, 'synced'>[]
  /** Headers that every write to an agent bears, made anew for each: its place among all writes. */
  readonly writeHeaders?: () => Readonly<Record<string, string>>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** How often the roots are looked at, in milliseconds. */
  readonly intervalMs?: number
  readonly metrics?: MetricsSink
  readonly logger: Logger
}

const defaultIntervalMs = 30_000
const renewedDelayMs = 1_000
const requestConcurrency = 4
/** A handshake and two signatures each: a fleet that renews at once must not take the operator's processor. */
const renewalConcurrency = 4

/** Everything about certificates: the roots, the requests of hosts that enrol, renewal, and the operator's own identities. For the leader alone. */
export class Signing {
  readonly identities: OperatorIdentities
  readonly #options: SigningOptions
  readonly #authority: Authority

  private constructor(options: SigningOptions, authority: Authority, identities: OperatorIdentities) {
    this.#options = options
    this.#authority = authority
    this.identities = identities
  }

  /** Reads the roots, or makes them where there are none yet. @throws AuthorityUnreadableError, KubeError */
  static async open(options: SigningOptions, signal: AbortSignal): Promise<Signing> {
    const { client, now } = options
    const { roots } = await openRoots(client, undefined, now(), signal)
    const authority = new Authority(roots, options)
    await publishBundle(client, authority.bundle, signal)
    return new Signing(options, authority, await OperatorIdentities.issue(authority, now))
  }

  /** Runs until the signal is aborted; the reflector of hosts is run by whoever made it. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, hosts, now, logger, metrics, intervalMs = defaultIntervalMs } = this.#options
    const measured = (name: string) => ({ name, ...(metrics === undefined ? {} : { metrics }) })
    const authority = this.#authority
    const identities = this.identities
    const failed = (field: 'host' | 'request' | 'key') => (key: string, error: unknown) => {
      const fields = { [field]: key, err: error }
      if (error instanceof ConflictError) logger.debug(fields, 'object changed meanwhile, will be read anew')
      else logger.warn(fields, 'certificates: reconcile failed, will be tried again')
    }
    const requests = new Reflector({
      ...{ client, kind: kinds.CertificateSigningRequest, fieldSelector: `spec.signerName=${agentSigner}` },
      ...(metrics === undefined ? {} : { metrics }),
      onError: (error) => logger.warn({ kind: 'CertificateSigningRequest', err: error }, 'watch failed, going on'),
    })
    const signer = new CertificateRequestController({ client, authority, now, logger, requests: requests.store })
    const requestLoop = new Controller({
      ...{
        ...measured('certificatesigningrequest'),
        sources: [requests],
        concurrency: requestConcurrency,
        onError: failed('request'),
      },
      reconcile: (key, stop) => signer.reconcile(key, stop),
    })
    requests.onChange(({ type, object }) => {
      signer.observe(object)
      if (type !== 'deleted') requestLoop.enqueue(keyOf(object))
    })

    const rootQueue = new WorkQueue(measured('root'))
    const renewal = new Renewal({
      ...{ ...this.#options, authority, identities, hosts: hosts.store },
      // A rotation may have waited for this one; the roots are looked at once for many that renew at once.
      onRenewed: () => rootQueue.addAfter('roots', renewedDelayMs),
    })
    const renewalLoop = new Controller({
      ...{
        ...measured('certificaterenewal'),
        sources: [hosts, ...(this.#options.endpointSources ?? [])],
        concurrency: renewalConcurrency,
        onError: failed('host'),
      },
      reconcile: (key, stop) => renewal.reconcile(key, stop),
    })
    const stopListening = hosts.onChange((change) => {
      if (isReadyAnew(change)) renewalLoop.enqueue(keyOf(change.object))
    })

    const roots = new RootController({
      ...{ client, authority, identities, now, logger, intervalMs },
      trust: () => renewal.trust(),
    })
    const rootLoop = new Controller({
      ...{ ...measured('root'), sources: [hosts], queue: rootQueue, onError: failed('key') },
      reconcile: (key, stop) => roots.reconcile(key, stop),
    })
    rootLoop.enqueue('roots')
    authority.onChange(() => {
      for (const host of hosts.store.list()) renewalLoop.enqueue(keyOf(host))
    })
    try {
      await Promise.all([requests, requestLoop, renewalLoop, rootLoop].map((part) => part.run(signal)))
    } finally {
      stopListening()
    }
  }
}

/** A Host came, went, or its agent answers that did not before: what changes else is nothing to its certificate. */
function isReadyAnew(change: Change<Host>): boolean {
  return change.type !== 'updated' || (isReady(change.object) && !isReady(change.previous))
}
