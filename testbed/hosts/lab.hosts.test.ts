import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { beforeAll, describe, expect, test } from 'vitest'
import { CommandError, mustRun } from '../command.ts'
import { eventually } from '../deadline.ts'
import { preparedLayers } from '../world/prepare.ts'
import type { Host } from './host.ts'
import { Lab } from './lab.ts'

const names = ['one', 'three', 'two'] as const

let lab: Lab
beforeAll(async () => {
  lab = await Lab.open({ layers: preparedLayers() })
  // The agent is off: this is about what is below it.
  const files = async ({ name, address }: { name: string; address: string }) => ({
    '/etc/systemd/system/keelson-agent.service.d/off.conf': '[Unit]\nConditionPathExists=/nowhere\n',
    '/etc/given': `${name} ${address}`,
  })
  await Promise.all(names.map((name) => lab.boot(name, { files })))
  return () => lab[Symbol.asyncDispose]()
})

const read = (name: string, ...argv: string[]) => lab.host(name).read(argv)
const onEach = async (...argv: string[]) => Promise.all(lab.hosts.map((host) => host.read(argv)))
const bootId = (host: Host) => host.read(['cat', '/proc/sys/kernel/random/boot_id'])

describe('hosts', () => {
  test('are listed by name; one that is not there is told with those that are', () => {
    expect(lab.hosts.map(({ name }) => name)).toEqual(names)
    expect(() => lab.host('four')).toThrow(/^no host four; there are .*one/)
  })

  test('run systemd and have a name, a boot, an identity and an address of their own', async () => {
    expect(await onEach('systemctl', 'is-system-running')).toEqual(['running', 'running', 'running'])
    expect(await onEach('hostnamectl', '--static')).toEqual(names)
    expect(await onEach('cat', '/etc/hostname')).toEqual(names)
    for (const file of ['/proc/sys/kernel/random/boot_id', '/etc/machine-id'])
      expect(new Set([...(await onEach('cat', file)), readFileSync(file, 'utf8').trim()]).size).toBe(4)
    const addresses = lab.hosts.map(({ address }) => address)
    expect(new Set(addresses).size).toBe(3)
    const shown = await onEach('ip', '-4', '-brief', 'address', 'show', 'host0')
    expect(shown.map((line) => line.split(/\s+/)[2])).toEqual(addresses.map((address) => `${address}/24`))
  })

  test('have the files that were given, for their owner only', async () => {
    expect(await onEach('cat', '/etc/given')).toEqual(lab.hosts.map(({ name, address }) => `${name} ${address}`))
    expect(await read('one', 'stat', '--format=%a %U', '/etc/given')).toBe('600 root')
  })

  test('share no file but what lies in their layers', async () => {
    await lab.host('one').run(['touch', '/etc/only-here', '/usr/bin/only-here'])
    expect(await read('two', 'ls', '/etc/only-here', '/usr/bin/only-here')).toBe('')
    for (const layer of preparedLayers()) expect(existsSync(join(layer, 'etc/only-here'))).toBe(false)
  })
})

describe('a command in a host', () => {
  test('gives back its output and its exit code', async () => {
    const host = lab.host('one')
    expect(await host.run(['cat'], { input: 'through' })).toEqual({ exitCode: 0, stdout: 'through', stderr: '' })
    expect(await host.read(['systemctl', 'is-active', 'nginx'])).toBe('inactive')
    const failure = host.run(['systemctl', 'is-active', 'nginx'])
    await expect(failure).rejects.toThrow(CommandError)
    await expect(failure).rejects.toMatchObject({ result: { exitCode: 3 } })
  })

  test('sees the host’s environment, not that of the test', async () => {
    expect((await read('one', 'env')).split('\n').toSorted()).toEqual([
      'HOME=/root',
      'LANG=C.UTF-8',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'TERM=dumb',
    ])
    expect(await read('one', 'readlink', '/proc/self/cwd')).toBe('/')
  })

  test.each(['entered', 'as a service'])('may not set the clock or load a module: %s', async (way) => {
    const asService = ['systemd-run', '--quiet', '--wait', '--pipe', '--collect', '--']
    const status = await read('one', ...(way === 'entered' ? [] : asService), 'cat', '/proc/self/status')
    const sets = [...status.matchAll(/^(Cap\w+):\t([0-9a-f]+)$/gm)]
    expect(sets).toHaveLength(5)
    // linux/capability.h: SYS_MODULE, SYS_RAWIO, SYS_TIME.
    for (const [, name, set] of sets)
      for (const capability of [16n, 17n, 25n])
        expect([name, capability, (BigInt(`0x${set}`) >> capability) & 1n]).toEqual([name, capability, 0n])
  })

  test('sets sysctls of its own network and of no other, and none of the kernel', async () => {
    const key = 'net.ipv4.ip_forward'
    expect(await onEach('sysctl', '-n', key)).toEqual(['0', '0', '0'])
    await lab.host('one').run(['sysctl', '-w', `${key}=1`])
    expect(await onEach('sysctl', '-n', key)).toEqual(['1', '0', '0'])
    expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe('0\n')
    await expect(lab.host('one').run(['sysctl', '-w', 'vm.swappiness=61'])).rejects.toThrow(
      'one: sysctl -w vm.swappiness=61: exit 1\nsysctl: permission denied on key',
    )
  })
})

describe('the network', () => {
  beforeAll(() => lab.host('two').run(['systemctl', 'start', 'nginx']))

  test('joins hosts with each other and with the capsule', async () => {
    const url = `http://${lab.host('two').address}:8080/`
    expect(await read('one', 'curl', '--silent', '--show-error', url)).toBe('two')
    expect(await (await fetch(url)).text()).toBe('two\n')
  })

  test('knows the capsule by one hardware address, whoever comes and goes', async () => {
    const own = () => readFileSync('/sys/class/net/br0/address', 'utf8').trim()
    const before = own()
    // The lowest of its ports' is what a bridge takes that has none of its own.
    await mustRun(['ip', 'link', 'set', readdirSync('/sys/class/net/br0/brif')[0]!, 'address', '00:00:00:00:00:09'])
    expect(own()).toBe(before)
  })

  test('ends at the capsule: hosts send the rest there, and it has no way on', async () => {
    // Asks the kernel and sends nothing. An address for documentation, RFC 5737.
    expect(await read('one', 'ip', 'route', 'get', '192.0.2.1')).toContain('via 10.88.0.1 dev host0')
    await expect(mustRun(['ip', 'route', 'get', '192.0.2.1'])).rejects.toThrow('Network is unreachable')
    const { stdout } = await mustRun(['ip', 'route', 'show'])
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^10\.88\.0\.0\/24 dev br0 /)])
  })
})

describe('the layers', () => {
  test('agent: Node and the executable, as they will be shipped, and nothing of the source tree', async () => {
    const current = '/opt/keelson/current'
    expect(await read('one', `${current}/bin/node`, '--version')).toBe(process.version)
    const version = await read('one', `${current}/bin/node`, `${current}/keelson.mjs`, '--version')
    expect(version).toBe(`keelson ${productVersion}`)
    expect(await read('one', 'readlink', current)).toMatch(/^versions\/\d+[.]\d+[.]\d+-[0-9a-f]{12}$/)
    expect(await read('one', 'cat', `${current}/version`)).toBe(productVersion)
    expect(await read('one', 'systemctl', 'is-enabled', 'keelson-agent')).toBe('enabled')
    const tree = resolve(import.meta.dirname, '../..')
    expect(await read('one', 'cat', '/proc/self/mountinfo')).not.toContain(tree)
    await expect(lab.host('one').run(['ls', tree])).rejects.toThrow('No such file')
    expect((await read('one', 'ls', `${current}/`)).split('\n')).toEqual([
      'bin',
      'keelson.mjs',
      'lib',
      'systemd',
      'version',
    ])
  })

  test('web: nginx is off and stays off at boot, and answers on port 8080 once it is started', async () => {
    expect(await read('three', 'systemctl', 'is-active', 'nginx')).toBe('inactive')
    expect(await read('three', 'systemctl', 'is-enabled', 'nginx')).toBe('disabled')
    const url = `http://${lab.host('three').address}:8080`
    await expect(fetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    await lab.host('three').run(['systemctl', 'start', 'nginx'])
    expect(await (await fetch(`${url}/any`)).text()).toBe('three\n')
    expect((await fetch(`${url}/broken`)).status).toBe(500)
    // It answers first, and writes that down then.
    await expect
      .poll(async () => (await read('three', 'cat', '/var/log/nginx/access.log')).split('\n'))
      .toEqual([expect.stringContaining('"GET /any HTTP/1.1" 200'), expect.stringContaining('500')])
  })
})

describe('from boot to boot', () => {
  /** Puts down what lasts and what does not. */
  async function mark(host: Host): Promise<string> {
    await host.run(['touch', '/etc/lasts', '/run/goes'])
    await host.run(['sysctl', '-w', 'net.ipv4.conf.all.forwarding=1'])
    return bootId(host)
  }

  async function expectNewBoot(host: Host, before: string): Promise<void> {
    expect(await bootId(host)).not.toBe(before)
    expect(await host.read(['systemctl', 'is-system-running'])).toBe('running')
    expect(await host.read(['ls', '/etc/lasts', '/run/goes'])).toBe('/etc/lasts')
    expect(await host.read(['sysctl', '-n', 'net.ipv4.conf.all.forwarding'])).toBe('0')
    expect(await host.read(['ip', '-4', '-brief', 'address', 'show', 'host0'])).toContain(host.address)
  }

  test('a reboot keeps files and loses what was set at run time', async () => {
    const host = lab.host('one')
    const before = await mark(host)
    const identity = await host.read(['cat', '/etc/machine-id'])
    await host.reboot()
    await expectNewBoot(host, before)
    expect(await host.read(['cat', '/etc/machine-id'])).toBe(identity)
  })

  test('a host that powers itself off is off until it is powered on', async () => {
    const host = lab.host('one')
    const before = await mark(host)
    await host.read(['systemctl', 'poweroff'])
    await eventually('it is off', () => !host.isUp)
    await expect(host.run(['true'])).rejects.toThrow('one is not up')
    await eventually('it can be powered on', () => host.powerOn().then(() => true))
    await expectNewBoot(host, before)
    await expect(host.powerOn()).rejects.toThrow('one is on already')
  })

  test('a power cut ends no connection, it just answers nothing any more; files last', async () => {
    const host = lab.host('two')
    const before = await mark(host)
    const socket = connect(8080, host.address)
    await once(socket, 'connect')
    await host.powerCut()
    expect(host.isUp).toBe(false)
    const { stdout } = await mustRun(['ss', '--no-header', '--tcp', '--numeric', 'dst', host.address])
    expect(stdout).toMatch(/^ESTAB /)
    socket.destroy()
    // Nobody has the address any more, so nothing refuses.
    const late = connect({ port: 8080, host: host.address, timeout: 200 })
    expect(await Promise.race([once(late, 'timeout'), once(late, 'connect')])).toEqual([])
    late.destroy()

    await host.powerOn()
    await expectNewBoot(host, before)
  })
})

describe('a partition', () => {
  const url = () => `http://${lab.host('two').address}:8080/`
  const reaches = async (from: string) =>
    (await lab
      .host(from)
      .read([
        'curl',
        '--silent',
        '--output',
        '/dev/null',
        '--max-time',
        '0.5',
        '--write-out',
        '%{http_code}',
        url(),
      ])) === '200'

  beforeAll(() => lab.host('two').run(['systemctl', 'start', 'nginx']))

  test('swallows what goes to the host and what comes from it, refuses nothing, and heals', async () => {
    const host = lab.host('two')
    const other = lab.host('one')
    const held = connect(8080, host.address)
    await once(held, 'connect')
    await host.partition()
    const ended = Promise.race([once(held, 'close'), once(held, 'data')])
    held.write('GET / HTTP/1.1\r\nHost: two\r\nConnection: close\r\n\r\n')
    expect(await reaches('three')).toBe(false)
    const late = connect({ port: 8080, host: host.address, timeout: 200 })
    expect(await Promise.race([once(late, 'timeout'), once(late, 'connect')])).toEqual([])
    late.destroy()
    // From within as well: no refusal, no lost carrier, and the host goes on.
    const out = await host.read([
      'curl',
      '--silent',
      '--show-error',
      '--max-time',
      '0.5',
      `http://${other.address}:8080/`,
    ])
    expect(out).toBe('')
    expect(await host.read(['cat', '/sys/class/net/host0/carrier'])).toBe('1')
    expect(await host.read(['systemctl', 'is-active', 'nginx'])).toBe('active')
    const { stdout } = await mustRun(['ss', '--no-header', '--tcp', '--numeric', 'sport', '=', `:${held.localPort}`])
    expect(stdout).toMatch(/^ESTAB /)

    await host.heal()
    await eventually('it is reached again', () => reaches('three'))
    expect(String(await ended)).toContain('200 OK')
    held.destroy()
  })

  test('outlasts a reboot, and a host that is off may be cut off too', async () => {
    const host = lab.host('two')
    await host.run(['systemctl', 'enable', 'nginx'])
    await host.partition()
    await host.reboot()
    expect(await host.read(['systemctl', 'is-active', 'nginx'])).toBe('active')
    expect(await reaches('three')).toBe(false)
    await host.heal()
    await eventually('it is reached again', () => reaches('three'))
    await host.powerCut()
    await host.partition()
    await host.powerOn()
    expect(await reaches('three')).toBe(false)
    await host.heal()
    await eventually('it is reached again', () => reaches('three'))
  })
})

describe('a host that is destroyed', () => {
  /** Everything that belongs to some host. */
  const parts = async () => [
    ...[...readFileSync('/proc/self/mountinfo', 'utf8').matchAll(/\/run\/keelson\/hosts\/\S+/g)].map(([path]) => path),
    ...(await mustRun(['ip', 'netns', 'list'])).stdout.split('\n').map((line) => line.split(' ')[0]!),
    ...readdirSync('/sys/fs/cgroup').filter((name) => name.startsWith('host-')),
    ...readdirSync('/sys/class/net').filter((name) => /^v\d/.test(name)),
    ...readdirSync('/run/keelson/hosts'),
  ]

  test('leaves nothing, and its name can be given anew, but not its address', async () => {
    const before = await parts()
    let first = ''
    {
      await using host = await lab.boot('short-lived')
      first = host.address
      expect((await parts()).length).toBeGreaterThanOrEqual(before.length + 5)
      await host.run(['touch', '/etc/of-the-first'])
    }
    expect((await parts()).toSorted()).toEqual(before.toSorted())
    expect(lab.hosts.map(({ name }) => name)).toEqual(names)

    await using second = await lab.boot('short-lived')
    expect(second.address).not.toBe(first)
    expect(await second.read(['ls', '/etc/of-the-first'])).toBe('')
  })

  test('is what comes of one that does not boot: its failed units and its console are told', async () => {
    const unit = '[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n'
    const files = async () => ({
      '/etc/systemd/system/doomed.service': unit,
      '/etc/systemd/system/multi-user.target.d/doomed.conf': '[Unit]\nWants=doomed.service\n',
    })
    const before = await parts()
    await expect(lab.boot('doomed', { files })).rejects.toThrow(
      /^doomed did not boot: degraded\ndoomed\.service loaded failed [^]*Failed to start doomed\.service/,
    )
    expect((await parts()).toSorted()).toEqual(before.toSorted())
    await expect(lab.boot('doomed', { files: async () => Promise.reject(new Error('no files')) })).rejects.toThrow(
      'no files',
    )
  })
})

test('a name is given once, even while its host is being made', async () => {
  await expect(lab.boot('one')).rejects.toThrow('one is there already')
  const booting = lab.boot('new')
  await expect(lab.boot('new')).rejects.toThrow('new is there already')
  await (await booting).destroy()
})
