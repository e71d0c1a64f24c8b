import { agentSigner } from '@keelson/api'
import {
  kinds,
  type CertificateSigningRequest,
  type CertificateSigningRequestCondition,
  type KubeClient,
  type ReadonlyStore,
} from '@keelson/kube'
import type { Logger } from 'pino'
import { timestamp } from '../conditions.ts'
import type { Authority } from './authority.ts'
import { checkUsages, keyId, pemOf, readCertificateRequest, requestedKeyId } from './certificate-request.ts'
import { SigningRefusal } from './refusal.ts'
import { admitInstaller, claimsOf, orUndefined, requesterOf } from './requester.ts'
import { UsedCredentials } from './used-credentials.ts'

export type CertificateRequestControllerOptions = {
  readonly client: KubeClient
  readonly authority: Authority
  /** The requests of our signer. */
  readonly requests: ReadonlyStore<CertificateSigningRequest>
  readonly now: () => Date
  readonly logger: Logger
}

type Requested = Awaited<ReturnType<typeof readCertificateRequest>>

/**
 * Answers the CertificateSigningRequests of the signer `keelson.dev/agent`. The installer of a Node gets the certificate of that Node at once
 * or a refusal; a person's request waits until somebody who may has approved it; all others are denied.
 *
 * Approval and certificate are two writes. Whatever comes in between, the next round goes on from what is there: what is approved is signed.
 */
export class CertificateRequestController {
  readonly #options: CertificateRequestControllerOptions
  readonly #used = new UsedCredentials()

  constructor(options: CertificateRequestControllerOptions) {
    this.#options = options
  }

  /** Told of every request in the cluster, so that what was signed before we began is known. */
  observe(request: CertificateSigningRequest): void {
    if (request.status?.certificate === undefined) return
    const key = requestedKeyId(pemOf(request))
    if (key !== undefined) this.#used.claim(uidOf(request), credentials(request, key))
  }

  async reconcile(name: string, signal: AbortSignal): Promise<void> {
    const request = this.#options.requests.get(name)
    if (request === undefined || request.spec.signerName !== agentSigner || isAnswered(request)) return
    if (isApproved(request)) await this.#sign(request, signal)
    else await this.#judge(request, signal)
  }

  async #judge(request: CertificateSigningRequest, signal: AbortSignal): Promise<void> {
    try {
      const { name, publicKey } = await read(request)
      const requester = requesterOf(request.spec)
      if (requester === 'Person') return
      if (requester === 'Workload')
        throw new SigningRefusal('RequesterRefused', `${request.spec.username} is not the installer of Keelson`)
      await admitInstaller(this.#options.client, request.spec, name, signal)
      this.#claim(request, publicKey)
    } catch (error) {
      if (!(error instanceof SigningRefusal)) throw error
      await this.#decide(request, 'Denied', error.code, error.message, signal)
      return
    }
    const message = 'the installer asks for the certificate of the Node that it runs on'
    await this.#sign(await this.#decide(request, 'Approved', 'InstallerOfTheNode', message, signal), signal)
  }

  async #sign(request: CertificateSigningRequest, signal: AbortSignal): Promise<void> {
    const { client, authority, logger } = this.#options
    try {
      const { name, publicKey } = await read(request)
      this.#claim(request, publicKey)
      const lifetimeMs = (request.spec.expirationSeconds ?? Infinity) * 1_000
      const nodeUid = await this.#nodeUid(request, name, signal)
      const { certificate, expiresAt } = await authority.signAgent({ name, nodeUid }, publicKey, lifetimeMs)
      const status = { ...request.status, certificate: Buffer.from(certificate).toString('base64') }
      await client.updateStatus(kinds.CertificateSigningRequest, { metadata: request.metadata, status }, {}, signal)
      logger.info({ request: request.metadata.name, host: name, expiresAt }, 'certificate signed')
    } catch (error) {
      if (!(error instanceof SigningRefusal)) throw error
      // What is approved cannot be denied any more.
      await this.#decide(request, 'Failed', error.code, error.message, signal)
    }
  }

  /** The installer's is the Node that its token is of; else the one that has the name now, if there is one. */
  async #nodeUid({ spec }: CertificateSigningRequest, name: string, signal: AbortSignal): Promise<string | undefined> {
    if (requesterOf(spec) === 'Installer') return claimsOf(spec).nodeUid
    const node = await orUndefined(this.#options.client.get(kinds.Node, { name }, signal))
    return node?.metadata.uid
  }

  /** Only what passed every other check uses up its token and key, so that a refusal can be put right by asking again. */
  #claim(request: CertificateSigningRequest, publicKey: Buffer): void {
    if (this.#used.claim(uidOf(request), credentials(request, keyId(publicKey)))) return
    throw new SigningRefusal(
      'Replayed',
      'this key, or this token, has had a certificate by another request: each is good for one. Ask with a new key; the installer gets a new token with a new Pod',
    )
  }

  async #decide(
    request: CertificateSigningRequest,
    type: CertificateSigningRequestCondition['type'],
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<CertificateSigningRequest> {
    const { client, now, logger } = this.#options
    const condition = { type, status: 'True', reason, message, lastUpdateTime: timestamp(now()) } as const
    const decided = { ...request, status: { conditions: [...(request.status?.conditions ?? []), condition] } }
    const kind = kinds.CertificateSigningRequest
    const written = await (type === 'Failed'
      ? client.updateStatus(kind, decided, {}, signal)
      : client.update(kind, decided, { subresource: 'approval' }, signal))
    const { username } = request.spec
    if (type !== 'Approved')
      logger.warn({ request: request.metadata.name, username, reason }, 'certificate request refused')
    return written
  }
}

async function read(request: CertificateSigningRequest): Promise<Requested> {
  checkUsages(request.spec)
  return readCertificateRequest(pemOf(request))
}

/** A person may ask for many hosts with one token: that is what the approval is for. */
function credentials({ spec }: CertificateSigningRequest, key: string): string[] {
  const { credentialId } = claimsOf(spec)
  const token = requesterOf(spec) === 'Installer' && credentialId !== undefined ? [`token ${credentialId}`] : []
  return [`key ${key}`, ...token]
}

function has(request: CertificateSigningRequest, type: CertificateSigningRequestCondition['type']): boolean {
  return request.status?.conditions?.some((condition) => condition.type === type) ?? false
}

function isApproved(request: CertificateSigningRequest): boolean {
  return has(request, 'Approved')
}

function isAnswered(request: CertificateSigningRequest): boolean {
  return request.status?.certificate !== undefined || has(request, 'Denied') || has(request, 'Failed')
}

function uidOf({ metadata }: CertificateSigningRequest): string {
  return metadata.uid ?? ''
}
