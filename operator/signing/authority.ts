import { X509Certificate } from 'node:crypto'
import { operatorIdentities, type OperatorIdentity } from '@keelson/api'
import { isSignedBy, issue, rootId } from './root.ts'
import { rotationOf, type RootSet } from './root-set.ts'
import { trustedRoots, type Rotation } from './rotation.ts'
import { backdateMs } from './x509.ts'

/** A certificate for an agent, with what was true when it was signed. */
export type IssuedCertificate = {
  /** PEM. */
  readonly certificate: string
  /** The roots to trust, PEM; one or two. */
  readonly bundle: string
  /** Ids of the roots in the bundle. */
  readonly trusted: readonly string[]
  /** Id of the root that signed. */
  readonly signer: string
  readonly expiresAt: Date
}

const day = 86_400_000
/** Of the operator's own certificates: they are made anew in memory and cost nothing. */
const clientLifetimeMs = day
export const defaultAgentLifetimeMs = 30 * day
/** While a root is replaced, what nobody has seen for this long has expired. */
export const maxAgentLifetimeMs = 90 * day

/** Whose certificate it is to be: that of the Host of this name and, where that has one, of no other Node than this. */
export type AgentIdentity = { readonly name: string; readonly nodeUid: string | undefined }

export type AuthorityOptions = {
  readonly agentLifetimeMs: number
  readonly now: () => Date
}

/** The certificate authority as it is now: signs agents and the operator. It knows nothing of where the roots are kept. */
export class Authority {
  readonly #options: AuthorityOptions
  readonly #listeners = new Set<() => void>()
  #roots: RootSet
  #ids: Rotation<string>

  constructor(roots: RootSet, options: AuthorityOptions) {
    this.#options = options
    this.#roots = roots
    this.#ids = rotationOf(roots, rootId)
  }

  get roots(): RootSet {
    return this.#roots
  }

  /** Ids of the roots. */
  get rotation(): Rotation<string> {
    return this.#ids
  }

  /** The roots to trust, PEM, the one that signs first. */
  get bundle(): string {
    return trustedRoots(rotationOf(this.#roots, (certificate) => certificate)).join('')
  }

  /** When the previous root signed for the last time; undefined where none is being replaced. */
  get replacedAt(): Date | undefined {
    const { previous } = this.#roots
    if (previous === undefined) return undefined
    return new Date(new X509Certificate(previous.cross).validFromDate.getTime() + backdateMs)
  }

  /** Takes other roots from here on, and tells who listens. */
  adopt(roots: RootSet): void {
    this.#roots = roots
    this.#ids = rotationOf(roots, rootId)
    for (const listener of [...this.#listeners]) listener()
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /** @param lifetimeMs shorter than usual, if the requester wishes it so */
  async signAgent(agent: AgentIdentity, publicKey: Buffer, lifetimeMs = Infinity): Promise<IssuedCertificate> {
    const { agentLifetimeMs, now } = this.#options
    // Read before the first await: the roots may be others after it.
    const told = { bundle: this.bundle, trusted: trustedRoots(this.#ids), signer: this.#ids.current }
    const leaf = { ...agent, publicKey, usage: 'server', lifetimeMs: Math.min(lifetimeMs, agentLifetimeMs) } as const
    const certificate = await issue(this.#roots.current, leaf, now())
    return { ...told, certificate, expiresAt: new X509Certificate(certificate).validToDate }
  }

  /** The chain by which the operator proves itself, PEM: also to a host that has not heard of the current root yet. */
  async signOperator(identity: OperatorIdentity, publicKey: Buffer): Promise<string> {
    const { current, previous } = this.#roots
    const name = operatorIdentities[identity]
    const leaf = { name, publicKey, usage: 'client', lifetimeMs: clientLifetimeMs } as const
    return (await issue(current, leaf, this.#options.now())) + (previous?.cross ?? '')
  }

  /** The root that signed the certificate, if it is one of ours. */
  signerOf(certificate: X509Certificate): string | undefined {
    const roots = trustedRoots(rotationOf(this.#roots, (root) => root))
    return trustedRoots(this.#ids)[roots.findIndex((root) => isSignedBy(certificate, root))]
  }
}
