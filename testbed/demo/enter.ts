import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { enterHost, findLeader } from '../hosts/leader.ts'

/** Inside the demo's capsule: runs a shell, or SHELL_COMMAND, as a service of a host. Argument: the host's name. */
const [name = ''] = process.argv.slice(2)
const processes = readdirSync('/proc')
  .filter((entry) => /^\d+$/.test(entry))
  .map(Number)
const leader = findLeader(name, processes)
if (leader === undefined) {
  console.error(`No host ${name} is up in the demo: see kubectl get hosts.`)
  process.exit(2)
}
const command = process.env['SHELL_COMMAND'] ?? ''
const terminal = process.stdin.isTTY && command === '' ? '--pty' : '--pipe'
const shell = command === '' ? ['/bin/bash', '--login'] : ['/bin/bash', '-c', command]
const argv = enterHost(leader, [
  'systemd-run',
  '--quiet',
  '--wait',
  '--collect',
  terminal,
  '--setenv=HOME=/root',
  '--',
  ...shell,
])
const { status } = spawnSync(argv[0]!, argv.slice(1), { stdio: 'inherit' })
process.exit(status ?? 137)
