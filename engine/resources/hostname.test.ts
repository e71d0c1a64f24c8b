import { describe, expect, test } from 'vitest'
import { changeResource, readResource } from '../change-resource.ts'
import { TemporaryHost } from '../temporary-host.fixture.ts'
import { hostname } from './hostname.ts'

const signal = new AbortController().signal

/** As hostnamed does it: the name is the last argument; static before transient, which are the file and the kernel. */
const hostnamectl = `
printf '%s\\n' "$*" >> "$root/calls"
for name; do :; done
printf '%s\\n' "$name" > "$root/etc/hostname"
printf '%s\\n' "$name" > "$root/proc/sys/kernel/hostname"`

async function host(files: Readonly<Record<string, string>> = {}): Promise<TemporaryHost> {
  const made = await TemporaryHost.create({ '/etc/hostname': 'old\n', '/proc/sys/kernel/hostname': 'old\n', ...files })
  await made.program('/usr/bin/hostnamectl', hostnamectl)
  return made
}

const get = (on: TemporaryHost) => readResource(hostname, on.system, {}, signal)
const post = (on: TemporaryHost, name: string) => changeResource(hostname, on.system, { static: name }, signal)

describe('GET', () => {
  test('static and transient name', async () => {
    await using a = await host({ '/etc/hostname': '# mine\n\n  given \nother\n' })
    expect(await get(a)).toEqual({ static: 'given', transient: 'old' })
  })

  test('a host without /etc/hostname, with a pretty name', async () => {
    await using a = await TemporaryHost.create({
      '/proc/sys/kernel/hostname': 'from-dhcp\n',
      '/etc/machine-info': 'PRETTY_HOSTNAME="My \\"Host\\""\n',
    })
    expect(await get(a)).toEqual({ static: '', transient: 'from-dhcp', pretty: 'My "Host"' })
  })

  test('takes no parameter', async () => {
    await using a = await host()
    await expect(readResource(hostname, a.system, { name: 'x' }, signal)).rejects.toMatchObject({
      code: 'ParameterUnknown',
    })
  })
})

describe('POST', () => {
  test('sets both names, and the second time nothing', async () => {
    await using a = await host()
    expect(await post(a, 'node1.example.org')).toEqual({
      changed: true,
      before: { static: 'old', transient: 'old' },
      after: { static: 'node1.example.org', transient: 'node1.example.org' },
    })
    expect(await post(a, 'node1.example.org')).toMatchObject({ changed: false })
    expect(await a.text('/calls')).toBe('--no-ask-password --static --transient set-hostname -- node1.example.org\n')
  })

  test('a kernel name that has drifted is set again', async () => {
    await using a = await host({ '/proc/sys/kernel/hostname': 'drifted\n' })
    expect(await post(a, 'old')).toMatchObject({ changed: true, after: { static: 'old', transient: 'old' } })
  })

  test.each(['a', '0', 'a-b', 'a.b', 'x'.repeat(63), `${'x'.repeat(60)}.abc`])('takes %s', async (name) => {
    await using a = await host()
    expect(await post(a, name)).toMatchObject({ changed: true })
  })

  test.each([
    '',
    '-a',
    'a-',
    'a..b',
    '.a',
    'a.',
    'a_b',
    'A',
    'a b',
    'a\n',
    'é',
    '--static',
    'localhost',
    'localhost.localdomain',
    'x'.repeat(64),
    `${'x'.repeat(60)}.abcd`,
  ])('refuses %j', async (name) => {
    await using a = await host()
    await expect(post(a, name)).rejects.toMatchObject({ kind: 'parameter', code: 'ValueRefused', field: 'static' })
    await expect(a.text('/calls')).rejects.toThrow('ENOENT')
  })

  test.each([
    ['none', {}, 'ParameterMissing', 'static'],
    ['another', { static: 'a', pretty: 'b' }, 'ParameterUnknown', 'pretty'],
    [
      '__proto__',
      JSON.parse('{"static": "a", "__proto__": "b"}') as Record<string, string>,
      'ParameterUnknown',
      '__proto__',
    ],
  ])('parameters: %s', async (_case, body: Readonly<Record<string, string>>, code, field) => {
    await using a = await host()
    await expect(changeResource(hostname, a.system, body, signal)).rejects.toMatchObject({
      kind: 'parameter',
      code,
      field,
    })
  })

  test('a hostnamectl that fails', async () => {
    await using a = await host()
    await a.program('/usr/bin/hostnamectl', 'echo "Failed to connect to bus" >&2; exit 1')
    await expect(post(a, 'new')).rejects.toMatchObject({
      kind: 'act',
      code: 'ProgramFailed',
      message: expect.stringContaining('Failed to connect to bus') as string,
    })
  })
})

describe('a kubelet on the host', () => {
  const kubelet = (...flags: string[]) => ({ '/proc/4711/cmdline': ['/usr/bin/kubelet', ...flags, ''].join('\0') })

  test.each([
    ['without flags', kubelet()],
    ['with an empty override', kubelet('--hostname-override=', '--v=2')],
    ['with the flag and nothing after it', kubelet('--hostname-override')],
    ['with a flag that only looks alike', kubelet('--hostname-override-not=x')],
    ['as hyperkube', { '/proc/4711/cmdline': '/hyperkube\0kubelet\0' }],
  ])('%s refuses another name', async (_case, files) => {
    await using a = await host(files)
    await expect(post(a, 'new')).rejects.toMatchObject({
      kind: 'state',
      code: 'NodeWouldBeRenamed',
      field: 'static',
      message: expect.stringContaining('4711') as string,
    })
    expect(await a.text('/etc/hostname')).toBe('old\n')
  })

  test.each([
    ['with --hostname-override=node1', kubelet('--v=2', '--hostname-override=node1')],
    ['with --hostname-override node1', kubelet('--hostname-override', 'node1')],
    ['that is another program', { '/proc/4711/cmdline': '/usr/bin/vi\0kubelet\0' }],
    ['that has ended (no command line)', { '/proc/4711/cmdline': '' }],
    ['that is no process', { '/proc/self/cmdline': '/usr/bin/kubelet\0' }],
  ])('%s takes it', async (_case, files) => {
    await using a = await host(files)
    expect(await post(a, 'new')).toMatchObject({ changed: true })
  })

  test('takes the name that the kernel has already', async () => {
    await using a = await host({ ...kubelet(), '/etc/hostname': 'other\n' })
    expect(await post(a, 'old')).toMatchObject({ changed: true, after: { static: 'old' } })
  })
})
