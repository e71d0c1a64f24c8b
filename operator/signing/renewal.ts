import { X509Certificate } from 'node:crypto'
import { boundNodeUid, type Host } from '@keelson/api'
import type { ReadonlyStore, ReconcileResult } from '@keelson/kube'
import type { Logger } from 'pino'
import { AgentConnection, AgentRefusedError, type AgentEndpoint } from './agent-connection.ts'
import { maxAgentLifetimeMs, type Authority } from './authority.ts'
import { readCertificateRequest } from './certificate-request.ts'
import type { OperatorIdentities } from './operator-identities.ts'
import { renewalTime } from './renewal-time.ts'
import { phaseOf, type HostTrust } from './rotation.ts'

export type RenewalOptions = {
  readonly authority: Authority
  readonly identities: OperatorIdentities
  readonly hosts: ReadonlyStore<Host>
  /** Where a Host's agent is; undefined where it has no address that may be connected to. */
  readonly endpointOf: (host: Host) => AgentEndpoint | undefined
  /** Headers that every write to an agent bears, made anew for each: its place among all writes. */
  readonly writeHeaders?: () => Readonly<Record<string, string>>
  /** Told after every certificate that an agent took. */
  readonly onRenewed?: () => void
  readonly now: () => Date
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly logger: Logger
}

/** What an agent's certificate was when it was last seen, and the bundle that it took with it. */
type Seen = {
  /** Of the Host. */
  readonly uid: string
  readonly fingerprint: string
  readonly signer: string | undefined
  /** These two: milliseconds since the epoch. */
  readonly expiresAt: number
  readonly renewAt: number
  /** Undefined where somebody else gave it to the agent. */
  readonly bundle: readonly string[] | undefined
  /** Of the Node that it is bound to; undefined: to none. */
  readonly nodeUid: string | undefined
}

/** Certificates change behind our back when a host enrols again. */
const lookAgainMs = 86_400_000
const retryMs = 300_000
/** Of the last third of a life: hosts that enrolled at once must not renew at once. */
const spread = 0.2

/**
 * Gives agents a new certificate when two thirds of the old one's life are over, and while a root is being replaced: asks the agent for a request,
 * of a key that stays with it, and pushes certificate and bundle. The connection proves which host it is.
 */
export class Renewal {
  readonly #options: RenewalOptions
  readonly #seen = new Map<string, Seen>()

  constructor(options: RenewalOptions) {
    this.#options = options
  }

  /** The key is the name of a Host. An agent that cannot be reached is no error: it is tried again. */
  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { hosts, endpointOf, logger } = this.#options
    const host = hosts.get(name)
    if (host === undefined) {
      this.#seen.delete(name)
      return
    }
    const endpoint = endpointOf(host)
    if (endpoint === undefined) return
    try {
      const { renewAt } = await this.#visit(host, endpoint, signal)
      const untilDueMs = renewAt - this.#options.now().getTime()
      return { requeueAfterMs: Math.min(Math.max(untilDueMs, 1_000), lookAgainMs) }
    } catch (error) {
      signal.throwIfAborted()
      // An offline host says so elsewhere; one that answers and keeps its old certificate will be lost.
      logger[isReady(host) ? 'warn' : 'debug'](
        { host: name, err: error },
        'certificate not renewed, will be tried again',
      )
      return { requeueAfterMs: retryMs * (0.5 + this.#options.random()) }
    }
  }

  /** What the rotation of the root waits for: every Host, by name. */
  trust(): HostTrust[] {
    const { hosts, now, authority } = this.#options
    // Whoever was not seen since we began: no certificate of the previous root was signed after it was replaced.
    const unseen = (authority.replacedAt ?? now()).getTime() + maxAgentLifetimeMs
    return hosts.list().map((host) => {
      const { name, uid } = host.metadata
      const seen = this.#seen.get(name)
      // A Host that was deleted and made again is another machine.
      const known = seen?.uid === uid ? seen : undefined
      return {
        host: name,
        reachable: isReady(host),
        bundle: known?.bundle,
        signer: known?.signer,
        expiresAt: known?.expiresAt ?? unseen,
      }
    })
  }

  async #visit(host: Host, endpoint: AgentEndpoint, signal: AbortSignal): Promise<Seen> {
    const { authority, identities, logger, writeHeaders: headers = () => ({}) } = this.#options
    const { name, uid = '' } = host.metadata
    await using agent = await AgentConnection.open(endpoint, identities.certificate('control'), signal)
    const seen = this.#look(name, uid, agent.certificate)
    const { nodeUid } = endpoint
    if (!this.#isDue(seen, nodeUid)) return seen
    const request = field(await agent.call('POST', '/v1/trust/csr', {}, headers(), signal), 'certificateRequest')
    const requested = await readCertificateRequest(request)
    if (requested.name !== name)
      throw new AgentRefusedError(`the agent asks for the certificate of ${requested.name}: it is not renewed`)
    const { certificate, bundle, trusted, expiresAt } = await authority.signAgent(
      { name, nodeUid },
      requested.publicKey,
    )
    await agent.call('PUT', '/v1/trust', { certificate, bundle }, headers(), signal)
    const renewed = this.#describe(uid, new X509Certificate(certificate), trusted)
    this.#seen.set(name, renewed)
    logger.info({ host: name, expiresAt }, 'certificate renewed')
    this.#options.onRenewed?.()
    return renewed
  }

  /** Which bundle an agent holds is known only as long as it shows the certificate that came with the bundle. */
  #look(name: string, uid: string, certificate: X509Certificate): Seen {
    const before = this.#seen.get(name)
    if (before?.uid === uid && before.fingerprint === certificate.fingerprint256) return before
    const seen = this.#describe(uid, certificate, undefined)
    this.#seen.set(name, seen)
    return seen
  }

  #describe(uid: string, certificate: X509Certificate, bundle: Seen['bundle']): Seen {
    const { authority, random } = this.#options
    const expiresAt = certificate.validToDate.getTime()
    const dueAt = renewalTime(certificate)
    return {
      ...{
        uid,
        bundle,
        expiresAt,
        nodeUid: boundNodeUid(certificate.subject),
        fingerprint: certificate.fingerprint256,
        signer: authority.signerOf(certificate),
      },
      renewAt: dueAt + (expiresAt - dueAt) * spread * random(),
    }
  }

  /** One that is bound to no Node is renewed as soon as there is a Node to bind it to. */
  #isDue({ signer, bundle, renewAt, nodeUid: bound }: Seen, nodeUid: string | undefined): boolean {
    const { authority, now } = this.#options
    const { rotation } = authority
    if (signer !== rotation.current || (bound === undefined && nodeUid !== undefined)) return true
    if (phaseOf(rotation) === 'Announcing' && bundle?.includes(rotation.next!) !== true) return true
    return now().getTime() >= renewAt
  }
}

/** The Host's own condition: online and its agent answers. */
export function isReady({ status }: Host): boolean {
  return status?.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false
}

function field(answer: unknown, name: string): string {
  const value: unknown = (answer as Readonly<Record<string, unknown>> | undefined)?.[name]
  if (typeof value === 'string') return value
  throw new AgentRefusedError(`the agent's answer has no ${name}: operator and agent work one minor version apart`)
}
