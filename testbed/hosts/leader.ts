import { readFileSync, readlinkSync } from 'node:fs'

/** A file with the host's name that proves that a process really sees the host's root, not the machine's. */
export const hostMarker = 'etc/keelson-testbed-host'

/** A command in a host gets no more than what the host's own init has: plain root would set the clock of the whole machine. */
const dropped = [
  ...[
    'sys_time',
    'sys_module',
    'sys_rawio',
    'syslog',
    'sys_pacct',
    'wake_alarm',
    'block_suspend',
    'mac_admin',
    'mac_override',
  ],
  ...['audit_read', 'perfmon', 'bpf', 'checkpoint_restore'],
]

const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8', 'TERM=dumb']

/**
 * The host's own first process, of some that may be it. Just after the start a container's child is not in the host yet, so what it sees
 * is checked before anything is entered: a `poweroff` meant for a host must never meet the machine.
 */
export function findLeader(name: string, candidates: Iterable<number>): number | undefined {
  for (const pid of candidates)
    try {
      const apart = ['pid', 'mnt'].every(
        (kind) => readlinkSync(`/proc/${pid}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`),
      )
      if (!apart || readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'systemd') continue
      if (!/^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) continue
      if (readFileSync(`/proc/${pid}/root/${hostMarker}`, 'utf8').trim() === name) return pid
    } catch {
      // It went away while it was looked at.
    }
  return undefined
}

/** The argv that runs a program in a host's namespaces. */
export function enterHost(leader: number, argv: readonly string[]): string[] {
  return [
    ...['setpriv', `--bounding-set=${dropped.map((name) => `-${name}`).join(',')}`, '--'],
    ...[
      'nsenter',
      `--target=${leader}`,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
      '--root',
      '--wd',
      '--',
    ],
    ...['/usr/bin/env', '-i', ...environment, ...argv],
  ]
}
