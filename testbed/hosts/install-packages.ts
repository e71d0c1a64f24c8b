import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../command.ts'

/**
 * Installs Debian packages as an overlay layer over another root; no service of theirs is started. Runs in a mount namespace of its own.
 *
 * Arguments: the lower root, the folder of the layer (gets `root`), the service that stays off at boot too, package names.
 */
const [lower, directory, service, ...packages] = process.argv.slice(2)
if (lower === undefined || directory === undefined || service === undefined)
  throw new TypeError('usage: install-packages.ts LOWER DIRECTORY SERVICE PACKAGE...')

const [upper, work, merged] = ['root', 'work', 'merged'].map((name) => join(directory, name))
for (const path of [upper!, work!, merged!]) await mkdir(path)
const overlay = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
await mustRun(['mount', '-t', 'overlay', 'overlay', '-o', overlay, merged!])
const inside = (...argv: string[]) =>
  mustRun(['chroot', merged!, ...argv], {
    timeoutMs: 900_000,
    env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  })

// invoke-rc.d(8): exit 101 = no service is started by a package's scripts.
const policy = join(merged!, 'usr/sbin/policy-rc.d')
await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
await copyFile('/etc/resolv.conf', join(merged!, 'etc/resolv.conf'))
await inside('apt-get', '--quiet', 'update')
await inside('apt-get', '--quiet', '--yes', 'install', '--no-install-recommends', ...packages)
await inside('apt-get', 'clean')
await inside('systemctl', 'disable', service)
await rm(policy)
await rm(join(merged!, 'var/lib/apt/lists'), { recursive: true, force: true })
await mustRun(['umount', merged!])
await rm(work!, { recursive: true, force: true })
await rm(merged!, { recursive: true, force: true })
