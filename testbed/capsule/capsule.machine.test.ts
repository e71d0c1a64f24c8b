import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { cacheDirectory } from '../cache.ts'
import { eventually } from '../deadline.ts'
import { leftovers, takeTraces } from '../demo/traces.ts'
import { Capsule, type CapsuleOptions } from './capsule.ts'
import { writableMounts } from './seal.ts'
import { sweeperOf } from './starter-process.fixture.ts'
import { ownTemporary, type View } from './view.fixture.ts'

const tree = resolve(import.meta.dirname, '../..')

type Message = { readonly view?: View; readonly up?: true; readonly orphans?: readonly string[] }

/** A capsule with the probe in it, and what the probe told first. */
async function start(
  args: readonly string[],
  options: Pick<CapsuleOptions, 'env' | 'listeners'> = {},
): Promise<Capsule & { readonly message: Message }> {
  const told = Promise.withResolvers<Message>()
  const capsule = await Capsule.start({
    ...options,
    module: join(import.meta.dirname, 'probe.fixture.ts'),
    args,
    onMessage: (message) => told.resolve(message as Message),
  })
  const message = await Promise.race([told.promise, capsule.ended.then(() => ({}))])
  return Object.assign(capsule, { message })
}

describe('seen from inside', () => {
  const shared = '/dev/shm'
  const closed = [
    '/',
    '/etc',
    '/root',
    '/home',
    '/usr',
    '/opt',
    '/var/tmp',
    '/var/lib',
    tree,
    cacheDirectory,
    homedir(),
  ]
  let view: View
  beforeAll(async () => {
    const env = { HTTPS_PROXY: 'http://192.0.2.1:3128', no_proxy: 'localhost', TMPDIR: '/var/tmp' }
    await using capsule = await start(['view', ...closed, shared], { env })
    view = capsule.message.view!
  })

  test('no route leads out, and there is no interface but loopback', () => {
    expect(view.routes).toBe('')
    expect(view.wayOut).toContain('Network is unreachable')
    expect(view.interfaces).toEqual(['lo'])
  })

  test('every mount that is not private is read-only', () => {
    const writable = Object.entries(view.mounts).filter(([, { options }]) => options.split(',').includes('rw'))
    expect(writable.map(([path]) => path).toSorted()).toEqual(writableMounts.toSorted())
    const others = Object.entries(view.mounts).filter(([path]) => !writableMounts.includes(path))
    expect(others.map(([path]) => path)).toEqual(expect.arrayContaining(['/', '/sys', '/proc/sys']))
    for (const [path, { newFile }] of others) expect([path, newFile]).not.toEqual([path, 'made'])
  })

  test('no folder of the machine takes a file; /tmp and /dev/shm are not those of the machine', () => {
    for (const folder of closed) expect([folder, view.folders[folder]]).toEqual([folder, 'EROFS'])
    expect(view.folders[shared]).toBe('made')
    expect(view.temporary).toEqual(ownTemporary)
  })

  test('the devices are those that every program may use, and no disk', () => {
    const links = ['fd', 'ptmx', 'stderr', 'stdin', 'stdout']
    const devices = ['full', 'null', 'random', 'tty', 'urandom', 'zero']
    expect(view.devices.toSorted()).toEqual([...devices, ...links, 'pts', 'shm'].toSorted())
  })

  test('nothing below /proc acts on the machine; sysctls of this network may be set', () => {
    const { 'sys/net/ipv4/ip_forward': ownNetwork, ...others } = view.kernel
    expect(Object.keys(others)).toContain('sysrq-trigger')
    // Not every kernel has all of them.
    for (const [path, outcome] of Object.entries(others))
      expect([path, outcome]).toEqual([path, existsSync(join('/proc', path)) ? 'EROFS' : 'ENOENT'])
    expect(ownNetwork).toBe('made')
  })

  test('no program may set the clock, load a module or touch the ports of the hardware', () => {
    expect(Object.keys(view.capabilities)).toEqual(['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    // capabilities(7), by their numbers in linux/capability.h: SYS_MODULE, SYS_RAWIO, SYS_TIME.
    for (const [name, set] of Object.entries(view.capabilities))
      for (const capability of [16n, 17n, 25n])
        expect([name, capability, (BigInt(`0x${set}`) >> capability) & 1n]).toEqual([name, capability, 0n])
  })

  test('only its own processes are there', () => {
    expect(view.processes).toContain('1 tini')
    expect(view.processes.length).toBeLessThan(6)
  })

  test('programs write where they can, and ask no proxy', () => {
    expect(view.environment).toMatchObject({ HOME: '/run/keelson/home', TMPDIR: '/tmp', KEELSON_CACHE: cacheDirectory })
    expect(Object.keys(view.environment).filter((name) => /^(https?|no)_proxy$/i.test(name))).toEqual([])
    expect(view.workingDirectory).toBe(tree)
  })
})

test.each([
  ['0', ['exit', '0'], 0],
  ['7', ['exit', '7'], 7],
  ['137 when it is killed', ['kill'], 137],
] as const)('the exit code is that of the program inside: %s', async (_, args, exitCode) => {
  await using capsule = await start(args)
  expect(await capsule.ended).toBe(exitCode)
})

test('what is orphaned inside is reaped', async () => {
  await using capsule = await start(['orphans'])
  expect(capsule.message.orphans).toEqual([])
})

describe('a listener that is handed in', () => {
  const ports: Record<string, number> = {}
  beforeAll(async () => {
    const listeners = { web: createServer(), nowhere: createServer() }
    for (const [name, server] of Object.entries(listeners)) {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      ports[name] = (server.address() as AddressInfo).port
    }
    const capsule = await start(['serve'], { listeners })
    await eventually('they are handed over', () => Object.values(listeners).every(({ listening }) => !listening))
    return () => capsule[Symbol.asyncDispose]()
  })

  async function post(listener: string, body: Buffer): Promise<Buffer> {
    const to = { host: '127.0.0.1', port: ports[listener] }
    const call = request({ ...to, method: 'POST', agent: false, signal: AbortSignal.timeout(10_000) })
    call.end(body)
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    return buffer(response)
  }

  test('reaches the program inside, both ways, many at once', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => Buffer.alloc(300_000, `${index} `))
    const answers = await Promise.all(bodies.map((body) => post('web', body)))
    expect(answers.map((answer, index) => answer.equals(bodies[index]!))).toEqual(bodies.map(() => true))
  })

  test('is closed for whoever comes while nothing inside is there for it', async () => {
    await expect(post('nowhere', Buffer.from('anyone?'))).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/)
  })
})

describe('one that is disposed of leaves nothing, though a program in it does not end by itself', () => {
  test.each([false, true])('its sweeper was killed: %s', async (withoutSweeper) => {
    const before = await takeTraces('no run yet')
    const [name, value] = ['KEELSON_TEST_RUN', crypto.randomUUID()]
    {
      await using capsule = await start(['stay'], { env: { [name]: value } })
      expect(capsule.message).toEqual({ up: true })
      expect(capsule.firstProcess).toBeGreaterThan(1)
      if (withoutSweeper) process.kill(sweeperOf(process.pid), 'SIGKILL')
    }
    expect(Object.values(await leftovers(before, `${name}=${value}`)).flat()).toEqual([])
  })
})
