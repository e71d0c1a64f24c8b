import { setTimeout as wait } from 'node:timers/promises'
import { agentSigner, systemNamespace, trustBundle } from '@keelson/api'
import {
  AlreadyExistsError,
  kinds,
  KubeError,
  NotFoundError,
  type CertificateSigningRequest,
  type KubeClient,
} from '@keelson/kube'
import { CertificateFolder } from './certificate-folder.ts'
import { readBundle } from './cluster-identity.ts'
import { EnrolmentError } from './enrolment-error.ts'
import { fingerprintOf, makeKey, makeRequest, requestName } from './host-key.ts'
import { verifyCertificate, type CertificateFiles, type Owner } from './verify.ts'

export type EnrolmentOptions = {
  /** Of the Host, which is that of its Node where it has one. */
  readonly name: string
  /** Of its Node, where that is known: a certificate of another one that had the name before is replaced. */
  readonly nodeUid?: string | undefined
  /** Replaces the certificate that is there, even one that is good. */
  readonly replace?: boolean
  /** Absolute path of the agent's folder for ca.crt, tls.crt and tls.key. */
  readonly folder: string
  /** As the installer's service account, or as a person. */
  readonly client: KubeClient
  /** How long to wait for the certificate, in milliseconds. */
  readonly timeoutMs: number
  /** Told once of the request that waits for its answer. */
  readonly onRequest?: (request: { readonly name: string; readonly keyFingerprint: string }) => void
  readonly now?: () => Date
}

export type EnrolmentResult = {
  /** `Present`: the folder held a good certificate of this cluster already, and nothing was asked for. */
  readonly outcome: 'Enrolled' | 'Present'
  readonly expiresAt: Date
}

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const hostName = new RegExp(`^(?=.{1,253}$)${label}([.]${label})*$`)
const pollMs = 200
const maxPollMs = 5_000

/**
 * Gets this host its certificate: makes the key here, asks the cluster by a CertificateSigningRequest, waits for the answer, verifies it and puts
 * key, certificate and bundle in place. Cut off at any point, the next call goes on from there; where all is well already, nothing is done.
 *
 * @throws EnrolmentError; KubeError where the API server refuses (its `code` says what)
 */
export async function enrol(options: EnrolmentOptions, signal?: AbortSignal): Promise<EnrolmentResult> {
  const { name, client, replace = false, now = () => new Date() } = options
  if (!hostName.test(name))
    throw new EnrolmentError('NameRefused', `${JSON.stringify(name)} is not a name that a Host can have`)
  const folder = new CertificateFolder(options.folder)
  const bundle = await readBundle(client, signal)
  if (bundle !== undefined && !replace) {
    const present = stillGood(await folder.installed(), bundle, options, now())
    if (present !== undefined) return { outcome: 'Present', expiresAt: present }
    const complete = stillGood(await folder.complete(), bundle, options, now())
    if (complete !== undefined) {
      await folder.putInPlace()
      return { outcome: 'Enrolled', expiresAt: complete }
    }
  }
  return request(options, folder, now, signal)
}

async function request(
  options: EnrolmentOptions,
  folder: CertificateFolder,
  now: () => Date,
  signal: AbortSignal | undefined,
): Promise<EnrolmentResult> {
  const { client } = options
  const key = await folder.pendingKey(makeKey)
  try {
    const certificate = await signed(options, key, signal)
    // Read after the certificate: a root that began to sign meanwhile was published before it did.
    const bundle = await readBundle(client, signal)
    if (bundle === undefined)
      throw new EnrolmentError(
        'TrustMissing',
        `the cluster has no ConfigMap ${systemNamespace}/${trustBundle.name} with ${trustBundle.key}: the operator makes it, try again once that runs`,
      )
    const expiresAt = verifyCertificate({ bundle, certificate, key }, options, now())
    await folder.install({ certificate, bundle })
    return { outcome: 'Enrolled', expiresAt }
  } catch (error) {
    // After anything else the same request is taken up again: a token is good for one.
    if (error instanceof EnrolmentError && isOver.has(error.code)) await folder.discard()
    throw error
  }
}

const isOver: ReadonlySet<string> = new Set(['RequestDenied', 'RequestFailed', 'OtherNode'])

/** The certificate of the request for this name and key; it is made where it is not there. */
async function signed(
  { name, client, timeoutMs, onRequest }: EnrolmentOptions,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const deadline = performance.now() + timeoutMs
  const keyFingerprint = fingerprintOf(key)
  const identity = { name: requestName(name, keyFingerprint) }
  const draft = {
    metadata: identity,
    spec: {
      request: Buffer.from(await makeRequest(name, key)).toString('base64'),
      signerName: agentSigner,
      usages: ['digital signature', 'server auth'],
    },
  }
  let told = false
  for (let delayMs = pollMs; ; delayMs = Math.min(delayMs * 1.5, maxPollMs)) {
    try {
      // It may be gone while we wait: the cluster clears old requests away.
      const found = await getOrCreate(client, draft, signal)
      if (!told) onRequest?.({ ...identity, keyFingerprint })
      told = true
      const certificate = answerOf(found)
      if (certificate !== undefined) return certificate
    } catch (error) {
      // An API server that starts refuses for a moment whom it let in before; so what worked once is tried until the deadline.
      const passing = error instanceof KubeError && (told || error.retryable)
      if (!passing || performance.now() >= deadline) throw error
    }
    if (performance.now() >= deadline)
      throw new EnrolmentError(
        'NotSignedInTime',
        `the request ${identity.name} was not answered within ${timeoutMs / 1_000} s: approve it if it is a person's, see that the operator runs, and try again: the request is taken up`,
      )
    await wait(delayMs, undefined, signal === undefined ? {} : { signal })
  }
}

/** Polled, not watched: whoever may watch requests sees those of every signer in the cluster. */
async function getOrCreate(
  client: KubeClient,
  draft: Pick<CertificateSigningRequest, 'metadata' | 'spec'>,
  signal: AbortSignal | undefined,
): Promise<CertificateSigningRequest> {
  const kind = kinds.CertificateSigningRequest
  try {
    return await client.get(kind, draft.metadata, signal)
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
  }
  try {
    return await client.create(kind, draft, {}, signal)
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error
    return client.get(kind, draft.metadata, signal)
  }
}

function answerOf({ metadata, status }: CertificateSigningRequest): string | undefined {
  if (status?.certificate !== undefined) return Buffer.from(status.certificate, 'base64').toString('utf8')
  for (const [type, code, verb] of [
    ['Denied', 'RequestDenied', 'was denied'],
    ['Failed', 'RequestFailed', 'was approved but not signed'],
  ] as const) {
    const condition = status?.conditions?.find((each) => each.type === type)
    if (condition === undefined) continue
    const { reason = 'no reason', message = 'no message' } = condition
    throw new EnrolmentError(code, `the request ${metadata.name} ${verb}: ${message} (${reason})`)
  }
  return undefined
}

/** When the certificate ends, if an agent can serve with it and this cluster's operator will accept it. */
function stillGood(files: CertificateFiles | undefined, bundle: string, owner: Owner, now: Date): Date | undefined {
  if (files === undefined) return undefined
  try {
    return verifyCertificate({ ...files, bundle }, owner, now)
  } catch {
    // Whatever is wrong with it: a new one puts it right.
    return undefined
  }
}
