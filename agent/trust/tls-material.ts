import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, unreadable, type AgentConfig } from '../config.ts'

/** In PEM. `ca` holds the one or two roots that clients' certificates are checked against. */
export type TlsMaterial = { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }

/**
 * The identity as the operator renewed it, in one file, so that key, certificate and bundle change together or not at all. Beside it lies the
 * key that waits for its certificate.
 */
export function trustPaths(state: string): { readonly identity: string; readonly pendingKey: string } {
  return { identity: join(state, 'trust/identity.json'), pendingKey: join(state, 'trust/pending.key') }
}

const Identity = z.object({
  key: z.string(),
  certificate: z.string(),
  bundle: z.string(),
  /** Which enrolled certificate it took over from. */
  over: z.string(),
})

/** @param over bytes of the enrolled certificate, if there is one */
export function encodeIdentity({ ca, cert, key }: TlsMaterial, over: Buffer | undefined): Buffer {
  const identity: z.infer<typeof Identity> = {
    key: key.toString(),
    certificate: cert.toString(),
    bundle: ca.toString(),
    over: over === undefined ? '' : fingerprint(over),
  }
  return Buffer.from(`${JSON.stringify(identity)}\n`)
}

/**
 * Reads the agent's certificate, its key and the authority that clients' certificates are checked against, and makes sure that an operator
 * will accept them. As renewed (identity.json) or as enrolled (the folder `tls`): the renewed ones hold until this machine is enrolled
 * again, and either helps out where the other is no good. Throws `ConfigError`.
 */
export async function readTls(config: AgentConfig, now: Date): Promise<TlsMaterial> {
  const [renewed, enrolled] = await Promise.allSettled([readRenewed(config, now), readEnrolled(config, now)])
  if (renewed.status === 'fulfilled' && renewed.value !== undefined) {
    const { tls, over } = renewed.value
    return enrolled.status === 'rejected' || over === fingerprint(enrolled.value.cert) ? tls : enrolled.value
  }
  if (enrolled.status === 'fulfilled') return enrolled.value
  throw renewed.status === 'rejected' ? renewed.reason : enrolled.reason
}

/** Path of the certificate as it was enrolled. */
export function enrolledCertificate({ tls }: AgentConfig): string {
  return join(tls, 'tls.crt')
}

function fingerprint(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

async function readEnrolled(config: AgentConfig, now: Date): Promise<TlsMaterial> {
  const paths = {
    ca: join(config.tls, 'ca.crt'),
    cert: enrolledCertificate(config),
    key: join(config.tls, 'tls.key'),
  }
  const [ca, cert, key] = await Promise.all([read(paths.ca), read(paths.cert), read(paths.key)])
  return judge({ ca, cert, key }, paths, config.name, now)
}

async function readRenewed(
  config: AgentConfig,
  now: Date,
): Promise<{ readonly tls: TlsMaterial; readonly over: string } | undefined> {
  const path = trustPaths(config.state).identity
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw unreadable(path, cause, remedy)
  }
  const { key, certificate: cert, bundle, over } = parseIdentity(path, content)
  const material = { ca: Buffer.from(bundle), cert: Buffer.from(cert), key: Buffer.from(key) }
  const paths = { ca: `${path}: bundle`, cert: `${path}: certificate`, key: `${path}: key` }
  return { tls: judge(material, paths, config.name, now), over }
}

function parseIdentity(path: string, content: Buffer): z.infer<typeof Identity> {
  try {
    return Identity.parse(JSON.parse(content.toString()))
  } catch {
    // The cause may quote the key: it stays out of the message, and out of the log.
    throw new ConfigError(`${path} is damaged: ${remedy}`)
  }
}

const remedy = 'enrol this machine again'

function judge(
  material: TlsMaterial,
  paths: Readonly<Record<keyof TlsMaterial, string>>,
  name: string,
  now: Date,
): TlsMaterial {
  certificate(paths.ca, material.ca)
  const own = certificate(paths.cert, material.cert)
  if (!own.checkPrivateKey(privateKey(paths.key, material.key))) {
    throw new ConfigError(`${paths.key} is not the key of ${paths.cert}: ${remedy}`)
  }
  if (own.checkHost(name, { subject: 'never', wildcards: false }) === undefined) {
    throw new ConfigError(`${paths.cert} is not for the DNS name ${name}: correct the setting name, or ${remedy}`)
  }
  if (own.validToDate <= now) {
    throw new ConfigError(`${paths.cert} has expired: ${remedy}, or correct its clock`)
  }
  return material
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw unreadable(path, cause, `${remedy}, or copy the file there`)
  }
}

function certificate(path: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new ConfigError(`${path} is not a certificate in PEM: ${remedy}`, cause)
  }
}

function privateKey(path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    // The cause may quote the key: it stays out of the message.
    throw new ConfigError(`${path} is not a private key in PEM: ${remedy}`, cause)
  }
}
