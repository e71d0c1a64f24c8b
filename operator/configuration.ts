import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ClientCertificate } from './delivery/host-pools.ts'

export type Configuration = {
  /** Undefined: the service account of the pod. */
  readonly kubeconfig: string | undefined
  readonly tls: ClientCertificate
  readonly factsIntervalMs: number
  readonly allowLoopback: boolean
}

/** A setting is missing or wrong; the message names it and says what to do. */
export class ConfigurationError extends Error {
  readonly code = 'ConfigurationRefused'

  constructor(setting: string, problem: string) {
    super(`${setting}: ${problem}`)
    this.name = 'ConfigurationError'
  }
}

/** @throws ConfigurationError */
export async function readConfiguration(args: readonly string[]): Promise<Configuration> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubeconfig: { type: 'string' },
      tls: { type: 'string', default: '/etc/keelson/tls' },
      'facts-interval-seconds': { type: 'string', default: '30' },
      'allow-loopback': { type: 'boolean', default: false },
    },
  })
  const seconds = Number(values['facts-interval-seconds'])
  if (!(seconds >= 1 && seconds <= 3_600))
    throw new ConfigurationError('--facts-interval-seconds', 'give a number of seconds from 1 to 3600')
  const [ca, certificate, key] = await Promise.all(
    ['ca.crt', 'tls.crt', 'tls.key'].map((name) => readPem(join(values.tls, name))),
  )
  return {
    kubeconfig: values.kubeconfig,
    tls: { ca: ca!, certificate: certificate!, key: key! },
    factsIntervalMs: seconds * 1_000,
    allowLoopback: values['allow-loopback'],
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new ConfigurationError('--tls', `${path} cannot be read: the folder must hold ca.crt, tls.crt and tls.key`)
  }
}
