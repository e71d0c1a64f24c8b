import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { agentPort } from '@keelson/api'
import { z } from 'zod'

/** A setting is missing or wrong; the message names the file, the setting and the remedy. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ConfigError'
  }
}

const label = '[a-z0-9]([a-z0-9-]*[a-z0-9])?'

/** /etc/keelson/agent.json */
export const AgentConfig = z.strictObject({
  name: z
    .string('give the name of the Host object that stands for this machine')
    .max(253, 'a Host name has at most 253 characters')
    .regex(new RegExp(`^${label}([.]${label})*$`), 'give the name of the Host object as `kubectl get hosts` prints it'),
  address: z
    .string('give the IP address of this machine that the operator reaches')
    .refine((address) => isIP(address) !== 0, 'give an IP address, not a name')
    .refine(
      (address) => !/^(0\.0\.0\.0|[0:]+)$/.test(address),
      'give the one address of the Host: the agent does not listen on all of them',
    ),
  port: z
    .int('give a port number')
    .min(1, 'a port is 1 to 65535')
    .max(65_535, 'a port is 1 to 65535')
    .default(agentPort),
  tls: z
    .string('give the folder that holds ca.crt, tls.crt and tls.key')
    .regex(/^\//, 'give an absolute path of the folder that holds ca.crt, tls.crt and tls.key'),
})
export type AgentConfig = z.infer<typeof AgentConfig>

export type TlsMaterial = { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer }

/** Reads and checks the file. Throws `ConfigError`. */
export async function readConfig(path: string): Promise<AgentConfig> {
  const content = await read(path, 'write the configuration there, or name another file with --config')
  let parsed: unknown
  try {
    parsed = JSON.parse(content.toString())
  } catch (cause) {
    throw new ConfigError(`${path} is not JSON: correct it`, cause)
  }
  const result = AgentConfig.safeParse(parsed)
  if (result.success) return result.data
  const violations = result.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `unknown settings ${issue.keys.join(', ')}: remove them`
    return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`
  })
  throw new ConfigError(`${path}: ${violations.join('; ')}`)
}

/**
 * Reads the agent's certificate, its key and the authority that clients' certificates are checked against, and makes sure that an operator
 * will accept them. Throws `ConfigError`.
 */
export async function readTls({ tls, name }: AgentConfig, now: Date): Promise<TlsMaterial> {
  const file = (base: string): string => join(tls, base)
  const remedy = 'enrol this machine again, or copy the file there'
  const [ca, cert, key] = await Promise.all([
    read(file('ca.crt'), remedy),
    read(file('tls.crt'), remedy),
    read(file('tls.key'), remedy),
  ])
  certificate(file('ca.crt'), ca)
  const own = certificate(file('tls.crt'), cert)
  if (!own.checkPrivateKey(privateKey(file('tls.key'), key))) {
    throw new ConfigError(`${file('tls.key')} is not the key of ${file('tls.crt')}: enrol this machine again`)
  }
  if (own.checkHost(name, { subject: 'never', wildcards: false }) === undefined) {
    throw new ConfigError(
      `${file('tls.crt')} is not for the DNS name ${name}: correct the setting name, or enrol this machine again`,
    )
  }
  if (own.validToDate <= now) {
    throw new ConfigError(`${file('tls.crt')} has expired: enrol this machine again, or correct its clock`)
  }
  return { ca, cert, key }
}

async function read(path: string, remedy: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new ConfigError(`${path} cannot be read (${code}): ${remedy}`, cause)
  }
}

function certificate(path: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new ConfigError(`${path} is not a certificate in PEM: enrol this machine again`, cause)
  }
}

function privateKey(path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    // The cause may quote the key: it stays out of the message.
    throw new ConfigError(`${path} is not a private key in PEM: enrol this machine again`, cause)
  }
}
