import { readFile, symlink } from 'node:fs/promises'
import { machine, release } from 'node:os'
import { Facts } from '@keelson/api'
import { expect, test } from 'vitest'
import { readFacts } from './facts.ts'
import { System } from './system.ts'
import { TemporaryHost } from './temporary-host.fixture.ts'

const kernel = {
  '/proc/sys/kernel/hostname': 'node1\n',
  '/proc/sys/kernel/osrelease': '6.1.0-x\n',
  '/proc/sys/kernel/random/boot_id': '607148ce-6fac-49e7-a959-1e357e2c4049\n',
}

test('facts of a host', async () => {
  await using host = await TemporaryHost.create({
    ...kernel,
    '/etc/os-release': 'ID=rocky\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
    '/usr/lib/os-release': 'ID=vendor\n',
  })
  const facts = await readFacts(host.system, '1.2.3')
  expect(facts).toEqual({
    protocol: 1,
    agentVersion: '1.2.3',
    hostname: 'node1',
    kernelVersion: '6.1.0-x',
    bootID: '607148ce-6fac-49e7-a959-1e357e2c4049',
    architecture: machine(),
    os: { id: 'rocky', versionID: '9.4', name: 'Rocky Linux 9.4 (Blue Onyx)' },
    types: { hostname: 1, sysctl: 1, systemdUnit: 1 },
  })
  expect(Facts.parse(facts)).toEqual(facts)
})

test('os-release by the usual link, by the vendor alone, and not at all', async () => {
  await using host = await TemporaryHost.create({ ...kernel, '/usr/lib/os-release': 'ID=debian\n' })
  const os = async () => (await readFacts(host.system, '1.2.3')).os
  expect(await os()).toEqual({ id: 'debian', versionID: '', name: 'Linux' })
  await host.write('/etc/hostname', '')
  await symlink('../usr/lib/os-release', host.system.path('/etc/os-release'))
  expect(await os()).toEqual({ id: 'debian', versionID: '', name: 'Linux' })
  await using bare = await TemporaryHost.create(kernel)
  expect((await readFacts(bare.system, '1.2.3')).os).toEqual({ id: 'linux', versionID: '', name: 'Linux' })
})

test('however long os-release is, facts keep to their schema', async () => {
  const long = 'x'.repeat(5_000)
  await using host = await TemporaryHost.create({
    ...kernel,
    '/etc/os-release': `ID=${long}\nVERSION_ID=${long}\nPRETTY_NAME=${long}\n`,
  })
  expect(Facts.safeParse(await readFacts(host.system, '1.2.3')).success).toBe(true)
})

test('facts of this machine', async () => {
  const facts = await readFacts(new System(), '1.2.3')
  expect(facts.kernelVersion).toBe(release())
  expect(facts.bootID).toBe((await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim())
  expect(Facts.parse(facts)).toEqual(facts)
})
