import { chmod, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changeResource, readResource, type Parameters } from '../change-resource.ts'
import { TemporaryHost } from '../temporary-host.fixture.ts'
import { sysctlFile } from './sysctl-file.ts'
import { sysctl } from './sysctl.ts'

const signal = new AbortController().signal
const forward = '/proc/sys/net/ipv4/ip_forward'
const range = '/proc/sys/net/ipv4/ip_local_port_range'
const vlan = '/proc/sys/net/ipv4/conf/eth0.100/rp_filter'

async function host(): Promise<TemporaryHost> {
  return TemporaryHost.create({ [forward]: '0\n', [range]: '32768\t60999\n', [vlan]: '0\n' })
}

const get = (on: TemporaryHost, parameters: Parameters) => readResource(sysctl, on.system, parameters, signal)
const post = (on: TemporaryHost, parameters: Parameters) => changeResource(sysctl, on.system, parameters, signal)

async function persisted(on: TemporaryHost): Promise<string[]> {
  const content = await on.text(sysctlFile)
  return content.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

describe('GET', () => {
  test('in dot form and in slash form', async () => {
    await using a = await host()
    expect(await get(a, { key: 'net.ipv4.ip_forward' })).toEqual({ 'net.ipv4.ip_forward': '0' })
    expect(await get(a, { key: 'net/ipv4/conf/eth0.100/rp_filter' })).toEqual({
      'net.ipv4.conf.eth0/100.rp_filter': '0',
    })
  })

  test('tells what Keelson has made to last', async () => {
    await using a = await host()
    await a.write(sysctlFile, 'net/ipv4/ip_forward=1\n')
    expect(await get(a, { key: 'net.ipv4.ip_forward' })).toEqual({
      'net.ipv4.ip_forward': '0',
      'net.ipv4.ip_forward (persisted)': '1',
    })
  })

  test.each([
    ['no key', {}, 'ParameterMissing', 'key'],
    ['another parameter', { key: 'net.ipv4.ip_forward', verbose: '1' }, 'ParameterUnknown', 'verbose'],
    ['a way out of /proc/sys', { key: 'net/../../../etc/hostname' }, 'KeyRefused', 'key'],
    ['an unknown key', { key: 'net.ipv4.nope' }, 'KeyUnknown', 'key'],
    ['a key below a key', { key: 'net.ipv4.ip_forward.x' }, 'KeyUnknown', 'key'],
    ['a folder', { key: 'net.ipv4' }, 'KeyUnknown', 'key'],
  ])('%s', async (_case, parameters: Parameters, code, field) => {
    await using a = await host()
    await expect(get(a, parameters)).rejects.toMatchObject({ kind: 'parameter', code, field })
  })

  test('a key that can only be written', async () => {
    await using a = await host()
    await chmod(a.system.path(forward), 0o200)
    await expect(get(a, { key: 'net.ipv4.ip_forward' })).rejects.toMatchObject({
      kind: 'parameter',
      code: 'KeyNotReadable',
    })
  })
})

describe('POST', () => {
  test('sets several keys to run and to last, and the second time nothing', async () => {
    await using a = await host()
    const body = {
      'net.ipv4.ip_forward': '1',
      'net/ipv4/conf/eth0.100/rp_filter': '2',
      'net.ipv4.ip_local_port_range': '2000 60000',
    }
    expect(await post(a, body)).toEqual({
      changed: true,
      before: {
        'net.ipv4.ip_forward': '0',
        'net.ipv4.conf.eth0/100.rp_filter': '0',
        'net.ipv4.ip_local_port_range': '32768\t60999',
      },
      after: {
        'net.ipv4.conf.eth0/100.rp_filter': '2',
        'net.ipv4.conf.eth0/100.rp_filter (persisted)': '2',
        'net.ipv4.ip_forward': '1',
        'net.ipv4.ip_forward (persisted)': '1',
        'net.ipv4.ip_local_port_range': '2000 60000',
        'net.ipv4.ip_local_port_range (persisted)': '2000 60000',
      },
    })
    expect(await a.text(forward)).toBe('1\n')
    expect(await a.text(vlan)).toBe('2\n')
    expect(await a.text(range)).toBe('2000 60000\n')
    expect(await persisted(a)).toEqual([
      'net.ipv4.conf.eth0/100.rp_filter = 2',
      'net.ipv4.ip_forward = 1',
      'net.ipv4.ip_local_port_range = 2000 60000',
    ])
    const { ino } = await stat(a.system.path(sysctlFile))
    expect(await post(a, body)).toMatchObject({ changed: false })
    expect((await stat(a.system.path(sysctlFile))).ino).toBe(ino)
  })

  test('what runs already is made to last, and what lasts already to run', async () => {
    await using a = await host()
    expect(await post(a, { 'net.ipv4.ip_forward': '0' })).toMatchObject({ changed: true })
    expect(await persisted(a)).toEqual(['net.ipv4.ip_forward = 0'])
    await a.write(forward, '1\n')
    expect(await post(a, { 'net.ipv4.ip_forward': '0' })).toMatchObject({ changed: true })
    expect(await a.text(forward)).toBe('0\n')
  })

  test('values are compared token by token, as the kernel prints tabs', async () => {
    await using a = await host()
    await a.write(sysctlFile, 'net.ipv4.ip_local_port_range = 32768 60999\n')
    expect(await post(a, { 'net.ipv4.ip_local_port_range': ' 32768  60999 ' })).toMatchObject({ changed: false })
  })

  test('lines of others stay as they are', async () => {
    await using a = await host()
    await a.write(sysctlFile, '# mine\nvm.swappiness=10')
    await post(a, { 'net.ipv4.ip_forward': '1' })
    expect(await a.text(sysctlFile)).toBe('net.ipv4.ip_forward = 1\n# mine\nvm.swappiness=10')
  })

  test('makes the folder where there is none, readable for all', async () => {
    await using a = await host()
    await post(a, { 'net.ipv4.ip_forward': '1' })
    expect((await stat(dirname(a.system.path(sysctlFile)))).mode & 0o777).toBe(0o755)
    expect((await stat(a.system.path(sysctlFile))).mode & 0o777).toBe(0o644)
  })

  test.each([
    ['no key', {}, 'KeyCountRefused', undefined],
    ['an unknown key', { 'net.ipv4.nope': '1' }, 'KeyUnknown', 'net.ipv4.nope'],
    ['a key that is none', { 'net..x': '1' }, 'KeyRefused', 'net..x'],
    ['the host name', { 'kernel/hostname': 'x' }, 'KeyRefused', 'kernel/hostname'],
    [
      'one key in two spellings',
      { 'net.ipv4.ip_forward': '1', 'net/ipv4/ip_forward': '0' },
      'KeyRepeated',
      'net/ipv4/ip_forward',
    ],
    ['a newline', { 'net.ipv4.ip_forward': '1\nvm.swappiness = 0' }, 'ValueRefused', 'net.ipv4.ip_forward'],
    ['a NUL', { 'net.ipv4.ip_forward': '1\0' }, 'ValueRefused', 'net.ipv4.ip_forward'],
    ['half a character', { 'net.ipv4.ip_forward': '\ud800' }, 'ValueRefused', 'net.ipv4.ip_forward'],
    ['a long value', { 'net.ipv4.ip_forward': '1'.repeat(1025) }, 'ValueRefused', 'net.ipv4.ip_forward'],
    [
      '65 keys',
      Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a.k${i}`, '1'])),
      'KeyCountRefused',
      undefined,
    ],
  ])('refuses %s, and no key is written', async (_case, parameters: Parameters, code, field) => {
    await using a = await host()
    const both =
      Object.keys(parameters).length === 0 ? parameters : { 'net.ipv4.ip_local_port_range': '1 2', ...parameters }
    await expect(post(a, both)).rejects.toMatchObject({ kind: 'parameter', code, field })
    expect(await a.text(range)).toBe('32768\t60999\n')
    await expect(a.text(sysctlFile)).rejects.toThrow('ENOENT')
  })

  test('a key that can only be read is refused before anything is written', async () => {
    await using a = await host()
    await chmod(a.system.path(range), 0o444)
    const body = { 'net.ipv4.ip_forward': '1', 'net.ipv4.ip_local_port_range': '1 2' }
    await expect(post(a, body)).rejects.toMatchObject({
      kind: 'parameter',
      code: 'KeyNotWritable',
      field: 'net.ipv4.ip_local_port_range',
    })
    expect(await a.text(forward)).toBe('0\n')
  })

  test('what the kernel refuses is not made to last, and the error says what is different now', async () => {
    await using a = await host()
    // A real kernel file that judges what is written to it, and belongs to this process alone.
    await mkdir(a.system.path('/proc/sys/vm'), { recursive: true })
    await symlink('/proc/self/coredump_filter', a.system.path('/proc/sys/vm/judge'))
    const before = await readFile('/proc/self/coredump_filter', 'utf8')
    await a.write(sysctlFile, 'vm.judge = 0x33\n')
    const refused = post(a, { 'net.ipv4.ip_forward': '1', 'vm.judge': 'junk' })
    await expect(refused).rejects.toMatchObject({
      kind: 'parameter',
      code: 'ValueRefusedByKernel',
      field: 'vm.judge',
      message: 'the kernel refuses the value for vm.judge (EINVAL); set until the next boot only: net.ipv4.ip_forward',
    })
    expect(await a.text(sysctlFile)).toBe('vm.judge = 0x33\n')
    expect(await readFile('/proc/self/coredump_filter', 'utf8')).toBe(before)
  })

  test('where the file cannot be written the error says that the values run only', async () => {
    await using a = await host()
    await a.write('/etc/elsewhere', '')
    await mkdir(dirname(a.system.path(sysctlFile)), { recursive: true })
    await symlink('/etc/elsewhere', a.system.path(sysctlFile))
    await expect(post(a, { 'net.ipv4.ip_forward': '1' })).rejects.toMatchObject({
      kind: 'act',
      code: 'TargetIsSymlink',
      message: expect.stringMatching(/set until the next boot only: net\.ipv4\.ip_forward$/) as string,
    })
  })
})
