import { existsSync } from 'node:fs'
import { mustRun, runCommand } from '../command.ts'
import { eventually } from '../deadline.ts'

const prefix = '10.88.0'
const bridge = 'br0'

/** Where the capsule itself, and so the API server and the operator, is on the hosts' network. */
export const hubAddress = `${prefix}.1`

const ip = (...args: string[]) => mustRun(['ip', ...args])

/** The bridge of the hosts, in the network namespace of the capsule. */
export async function openBridge(): Promise<void> {
  const wayOut = (await ip('route', 'show', 'default')).stdout
  if (process.env['KEELSON_CAPSULE'] === undefined || wayOut !== '')
    throw new Error('Hosts live inside a capsule only: run this by `make test` or `make demo`')
  if (existsSync(`/sys/class/net/${bridge}`)) return
  // A bridge without an address of its own takes one from its ports, and another when that host goes: all others would speak to the old one for a while.
  await ip('link', 'add', bridge, 'address', hardwareAddress(1), 'type', 'bridge')
  await ip('address', 'add', `${hubAddress}/24`, 'dev', bridge)
  await ip('link', 'set', bridge, 'up')
}

export function hostAddress(index: number): string {
  return `${prefix}.${index}`
}

/** One more address of the capsule itself on the hosts' network, by its last part: for what is to look like a host and is none. */
export async function addHubAddress(index: number): Promise<string> {
  await ip('address', 'replace', `${hostAddress(index)}/32`, 'dev', bridge)
  return hostAddress(index)
}

export function networkNamespace(name: string): string {
  return `/run/netns/${name}`
}

/** Locally administered; by the last part of the address on the hosts' network. */
function hardwareAddress(index: number): string {
  return `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`
}

const linkOf = (index: number) => `v${index}`

/** A fresh network namespace for a host: as on a real machine, addresses, rules and sysctls are gone with a reboot. */
export async function attachNetwork(name: string, index: number): Promise<void> {
  await detachNetwork(name, index)
  const link = linkOf(index)
  await ip('netns', 'add', name)
  // The same hardware address at every boot, as a real card has it: neighbours keep it in their tables for half a minute.
  const hardware = hardwareAddress(index)
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'host0', 'address', hardware, 'netns', name)
  await ip('link', 'set', link, 'master', bridge, 'up')
  // A new namespace takes these from the machine, where Docker may have turned it on; a machine that boots has it off.
  await ip('netns', 'exec', name, 'sysctl', '--quiet', '--write', 'net.ipv4.ip_forward=0')
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  await ip('-n', name, 'address', 'add', `${hostAddress(index)}/24`, 'dev', 'host0')
  await ip('-n', name, 'link', 'set', 'host0', 'up')
  await ip('-n', name, 'route', 'add', 'default', 'via', hubAddress)
}

/** Pulls the host's cable at the bridge's end; a host that is not attached has none. */
export async function cutNetwork(index: number): Promise<void> {
  await runCommand(['ip', 'link', 'set', linkOf(index), 'down'])
}

/**
 * Has the bridge forward nothing from or to an attached host, or forward again. The host itself sees its link up all the while, and nothing on the way
 * refuses: packets are just gone.
 */
export async function setForwarding(index: number, state: 'forwarding' | 'disabled'): Promise<void> {
  await mustRun(['bridge', 'link', 'set', 'dev', linkOf(index), 'state', state])
}

/** Takes the host off the network, so that nothing answers for it any more, not even a refusal. */
export async function detachNetwork(name: string, index: number): Promise<void> {
  if (existsSync(networkNamespace(name))) await ip('netns', 'delete', name)
  // The pair goes with the last process of its namespace; the outer end by hand, should that take long.
  await eventually(
    `the link of ${name} is gone`,
    async () => {
      const device = `/sys/class/net/${linkOf(index)}`
      if (existsSync(device)) await runCommand(['ip', 'link', 'delete', linkOf(index)])
      return !existsSync(device)
    },
    5_000,
  )
}
