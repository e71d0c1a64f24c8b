import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { mustRun } from '../command.ts'

/**
 * Installs Debian packages as an overlay layer over other root folders; no service of theirs is started. Runs in a mount namespace of its own.
 *
 * Arguments: `--lower=ROOT`, the uppermost first; `--directory=FOLDER` of the layer (gets `root`); `--disable=UNIT` that stays off at boot too; names of packages.
 */
const { values, positionals: packages } = parseArgs({
  options: {
    lower: { type: 'string', multiple: true, default: [] },
    directory: { type: 'string', default: '' },
    disable: { type: 'string', multiple: true, default: [] },
  },
  allowPositionals: true,
})
const { lower, directory, disable } = values
if (lower.length === 0 || directory === '' || packages.length === 0)
  throw new TypeError('usage: install-packages.ts --lower=ROOT… --directory=FOLDER [--disable=UNIT…] PACKAGE…')

const [upper, work, merged] = ['root', 'work', 'merged'].map((name) => join(directory, name))
for (const path of [upper!, work!, merged!]) await mkdir(path)
const overlay = `lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work}`
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
for (const unit of disable) await inside('systemctl', 'disable', unit)
await rm(policy)
await rm(join(merged!, 'var/lib/apt/lists'), { recursive: true, force: true })
await mustRun(['umount', merged!])
await rm(work!, { recursive: true, force: true })
await rm(merged!, { recursive: true, force: true })
