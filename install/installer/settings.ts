import { isIP, isIPv4, isIPv6 } from 'node:net'
import { isAbsolute } from 'node:path'
import { parseArgs } from 'node:util'

export type InstallerSettings = {
  readonly state: 'Present' | 'Absent'
  readonly hostRoot: string
  /** The image's folder with the agent. */
  readonly image: string
  readonly name: string
  readonly address: string
  /** Undefined: the service account of the Pod. */
  readonly kubeconfig: string | undefined
  /** `host` undefined: every address. */
  readonly probes: { readonly host: string | undefined; readonly port: number }
}

/** An argument is missing or wrong; the message names it and says what to do. */
class SettingError extends Error {
  readonly code = 'ConfigurationRefused'

  constructor(setting: string, problem: string, options?: ErrorOptions) {
    super(`${setting}: ${problem}`, options)
    this.name = 'SettingError'
  }
}

/** @throws SettingError; the TypeError of `parseArgs`, which names the option, for one that there is not */
export function readSettings(args: readonly string[]): InstallerSettings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'host-root': { type: 'string', default: '/host' },
      image: { type: 'string', default: '/opt/keelson' },
      'node-name': { type: 'string', default: '' },
      address: { type: 'string', default: '' },
      state: { type: 'string', default: 'Present' },
      kubeconfig: { type: 'string' },
      'probe-address': { type: 'string', default: ':8081' },
    },
  })
  const { 'host-root': hostRoot, image, 'node-name': name, address, state, kubeconfig } = values
  for (const [option, path] of [
    ['--host-root', hostRoot],
    ['--image', image],
  ] as const)
    if (!isAbsolute(path)) throw new SettingError(option, 'give the absolute path of a folder')
  if (state !== 'Present' && state !== 'Absent') throw new SettingError('--state', 'give Present or Absent')
  if (state === 'Present' && name === '') throw new SettingError('--node-name', 'give the name of the Node')
  if (state === 'Present' && isIP(address) === 0) throw new SettingError('--address', 'give the IP address of the host')
  return { state, hostRoot, image, name, address, kubeconfig, probes: listenAddress(values['probe-address']) }
}

/** `:8081`, `127.0.0.1:8081`, `[::1]:8081`. */
function listenAddress(text: string): InstallerSettings['probes'] {
  const [, v6, v4 = '', port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text) ?? []
  const host = v6 ?? v4
  const isAddress = v6 === undefined ? host === '' || isIPv4(host) : isIPv6(v6)
  if (!isAddress || !(Number(port) > 0 && Number(port) <= 65_535))
    throw new SettingError('--probe-address', 'give [ADDRESS]:PORT, as :8081 or 127.0.0.1:8081')
  return { host: host === '' ? undefined : host, port: Number(port) }
}
