import { readFile } from 'node:fs/promises'
import { isIPv4, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import { listOf } from './delivery/address.ts'
import type { ClientCertificate } from './delivery/host-pools.ts'
import type { ListenAddress } from './serving/http-server.ts'
import { defaultAgentLifetimeMs, maxAgentLifetimeMs } from './signing/authority.ts'

export type Configuration = {
  /** Undefined: the service account of the pod. */
  readonly kubeconfig: string | undefined
  /** Undefined: the operator signs agents and itself. */
  readonly tls: ClientCertificate | undefined
  readonly agentLifetimeMs: number
  readonly factsIntervalMs: number
  readonly leaseTimes: { readonly leaseMs: number; readonly renewDeadlineMs: number; readonly retryMs: number }
  readonly allowLoopback: boolean
  /** Of health and metrics; undefined: nobody is answered. */
  readonly metricsAddress: ListenAddress | undefined
  readonly serviceRanges: readonly string[]
}

/** Of the times of the election, which must leave room for one another: clocks that differ, and a renewal that fails once. */
const jitter = 1.2

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
      'lease-duration-seconds': { type: 'string', default: '15' },
      'renew-deadline-seconds': { type: 'string', default: '10' },
      'retry-period-seconds': { type: 'string', default: '2' },
      'metrics-address': { type: 'string', default: ':8080' },
      'allow-loopback': { type: 'boolean', default: false },
      'service-cidr': { type: 'string', multiple: true, default: [] },
    },
  })
  const milliseconds: Milliseconds = (name, from, to) => {
    const text = values[name]
    const seconds = Number(text)
    if (!/^\d+$/.test(text) || seconds < from || seconds > to)
      throw new ConfigurationError(`--${name}`, `give a whole number of seconds from ${from} to ${to}`)
    return seconds * 1_000
  }
  return {
    kubeconfig: values.kubeconfig,
    tls: values.tls === undefined ? undefined : await readTls(values.tls),
    agentLifetimeMs: milliseconds('agent-certificate-lifetime-seconds', 600, maxAgentLifetimeMs / 1_000),
    factsIntervalMs: milliseconds('facts-interval-seconds', 1, 3_600),
    leaseTimes: leaseTimes(milliseconds),
    allowLoopback: values['allow-loopback'],
    metricsAddress: listenAddress(values['metrics-address']),
    serviceRanges: ranges(values['service-cidr']),
  }
}

function ranges(values: readonly string[]): readonly string[] {
  try {
    listOf(values)
    return values
  } catch (cause) {
    throw new ConfigurationError('--service-cidr', cause instanceof Error ? cause.message : 'is no range', { cause })
  }
}

type Milliseconds = (
  name:
    | 'facts-interval-seconds'
    | 'agent-certificate-lifetime-seconds'
    | 'lease-duration-seconds'
    | 'renew-deadline-seconds'
    | 'retry-period-seconds',
  from: number,
  to: number,
) => number

function leaseTimes(milliseconds: Milliseconds): Configuration['leaseTimes'] {
  const leaseMs = milliseconds('lease-duration-seconds', 3, 3_600)
  const renewDeadlineMs = milliseconds('renew-deadline-seconds', 2, 3_600)
  const retryMs = milliseconds('retry-period-seconds', 1, 3_600)
  if (leaseMs <= renewDeadlineMs)
    throw new ConfigurationError('--lease-duration-seconds', 'give more than --renew-deadline-seconds')
  if (renewDeadlineMs <= jitter * retryMs)
    throw new ConfigurationError('--renew-deadline-seconds', `give more than ${jitter} times --retry-period-seconds`)
  return { leaseMs, renewDeadlineMs, retryMs }
}

/** `:8080` (every address, for a Pod's probes come to its own), `127.0.0.1:8080`, `[::1]:8080`; `0` is none. */
function listenAddress(text: string): ListenAddress | undefined {
  if (text === '0') return undefined
  const [, v6, v4 = '', port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text) ?? []
  const host = v6 ?? v4
  const isAddress = v6 === undefined ? host === '' || isIPv4(host) : isIPv6(v6)
  if (!isAddress || !(Number(port) > 0 && Number(port) <= 65_535))
    throw new ConfigurationError('--metrics-address', 'give [ADDRESS]:PORT, as :8080 or 127.0.0.1:8080, or 0 for none')
  return { host: host === '' ? undefined : host, port: Number(port) }
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
