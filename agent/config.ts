import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { agentPort } from '@keelson/api'
import { z } from 'zod'

/** A setting is missing or wrong; the message names the file, the setting and the remedy. */
export class ConfigError extends Error {
  readonly code = 'AgentConfigurationRefused'

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
  /** What the agent remembers: the folder is its own. */
  state: z.string().regex(/^\//, 'give an absolute path of a folder').default('/var/lib/keelson'),
  /** Refuse a write that does not say where it stands among the others (Keelson-Epoch, Keelson-Sequence). */
  requireOrder: z.boolean('give true or false').default(false),
})
export type AgentConfig = z.infer<typeof AgentConfig>

/** Reads and checks the file. Throws `ConfigError`. */
export async function readConfig(path: string): Promise<AgentConfig> {
  const content = await read(path)
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

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw unreadable(path, cause, 'write the configuration there, or name another file with --config')
  }
}

/** What to throw where a file cannot be read. */
export function unreadable(path: string, cause: unknown, remedy: string): ConfigError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return new ConfigError(`${path} cannot be read (${code}): ${remedy}`, cause)
}
