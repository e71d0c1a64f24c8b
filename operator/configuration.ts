import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import type { ClientCertificate } from './delivery/host-pools.ts'
import { defaultAgentLifetimeMs, maxAgentLifetimeMs } from './signing/authority.ts'

export type Configuration = {
  /** Undefined: the service account of the pod. */
  readonly kubeconfig: string | undefined
  /** Undefined: the operator signs agents and itself. */
  readonly tls: ClientCertificate | undefined
  readonly agentLifetimeMs: number
  readonly factsIntervalMs: number
  readonly allowLoopback: boolean
}

/** A setting is missing or wrong; the message names it and says what to do. */
class ConfigurationError extends Error {
  readonly code = 'ConfigurationRefused'

  constructor(setting: string, problem: string, options?: ErrorOptions) {
    super(`${setting}: ${problem}`, options)
    this.name = 'ConfigurationError'
  }
}

/** @throws ConfigurationError; the TypeError of `parseArgs`, which names the option, for one that there is not. */
export async function readConfiguration(args: readonly string[]): Promise<Configuration> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubeconfig: { type: 'string' },
      tls: { type: 'string' },
      'facts-interval-seconds': { type: 'string', default: '30' },
      'agent-certificate-lifetime-seconds': { type: 'string', default: String(defaultAgentLifetimeMs / 1_000) },
      'allow-loopback': { type: 'boolean', default: false },
    },
  })
  const milliseconds = (
    name: 'facts-interval-seconds' | 'agent-certificate-lifetime-seconds',
    from: number,
    to: number,
  ) => {
    const seconds = Number(values[name])
    if (!/^\d+$/.test(values[name]) || seconds < from || seconds > to)
      throw new ConfigurationError(`--${name}`, `give a whole number of seconds from ${from} to ${to}`)
    return seconds * 1_000
  }
  return {
    kubeconfig: values.kubeconfig,
    tls: values.tls === undefined ? undefined : await readTls(values.tls),
    agentLifetimeMs: milliseconds('agent-certificate-lifetime-seconds', 600, maxAgentLifetimeMs / 1_000),
    factsIntervalMs: milliseconds('facts-interval-seconds', 1, 3_600),
    allowLoopback: values['allow-loopback'],
  }
}

async function readTls(folder: string): Promise<ClientCertificate> {
  const [ca, certificate, key] = await Promise.all(
    (['ca.crt', 'tls.crt', 'tls.key'] as const).map((name) => readPem(join(folder, name))),
  )
  const tls = { ca: ca!, certificate: certificate!, key: key! }
  try {
    // Found out now, not at each of five thousand connections.
    createSecureContext({ ca: tls.ca, cert: tls.certificate, key: tls.key })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigurationError('--tls', `${folder} does not hold PEM of a certificate and its key: ${why}`, { cause })
  }
  return tls
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    const problem = `${path} cannot be read (${why}): the folder must hold ca.crt, tls.crt and tls.key`
    throw new ConfigurationError('--tls', problem, { cause })
  }
}
