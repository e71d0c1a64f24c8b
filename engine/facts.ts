import { machine } from 'node:os'
import type { Facts } from '@keelson/api'
import { parseEnvironmentFile } from './environment-file.ts'
import { fileError } from './resource-error.ts'
import { resourceTypes } from './resources/index.ts'
import type { System } from './system.ts'

/** What the host is, read anew at each call. Throws `ResourceError` of kind `act` where /proc cannot be read. */
export async function readFacts(system: System, agentVersion: string): Promise<Facts> {
  const kernel = '/proc/sys/kernel'
  const [hostname, kernelVersion, bootID, os] = await Promise.all([
    readLine(system, `${kernel}/hostname`),
    readLine(system, `${kernel}/osrelease`),
    readLine(system, `${kernel}/random/boot_id`),
    readOperatingSystem(system),
  ])
  return {
    protocol: 1,
    agentVersion,
    hostname,
    kernelVersion,
    bootID,
    architecture: machine(),
    os,
    types: Object.fromEntries([...resourceTypes.values()].map(({ name, version }) => [name, version])),
  }
}

async function readLine(system: System, path: string): Promise<string> {
  try {
    return (await system.read(path)).toString().trim()
  } catch (error) {
    throw fileError(path, error)
  }
}

/** os-release(5): /etc/os-release decides where it exists, even if it says less than the vendor's; its defaults where nothing is said. */
async function readOperatingSystem(system: System): Promise<Facts['os']> {
  const content = (await system.readIfPresent('/etc/os-release')) ?? (await system.readIfPresent('/usr/lib/os-release'))
  const variables = parseEnvironmentFile(content?.toString() ?? '')
  return {
    id: variables.get('ID')?.slice(0, 64) ?? 'linux',
    versionID: variables.get('VERSION_ID')?.slice(0, 64) ?? '',
    name: variables.get('PRETTY_NAME')?.slice(0, 256) ?? 'Linux',
  }
}
