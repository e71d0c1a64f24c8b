import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installerAccount, systemNamespace, type Host as HostObject } from '@keelson/api'
import { layOutRelease } from '@keelson/deploy'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { podToken } from '../control-plane/pod-token.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import type { Host } from '../hosts/host.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

// The installer runs as in its Pod: outside the host's namespaces but that of processes, with the host's root folder, and with a token of the Node's Pod.

const name = 'worker-1'
const probes = '127.0.0.1:8081'
const kubeletUnit = '/etc/systemd/system/kubelet.service.d/20-program.conf'
const patienceMs = 70_000
/** The installer gives an agent 40 s before it goes back. */
const timeoutMs = 240_000

let world: World
let host: Host
let folder: string
let token: string
let before: { readonly files: string; readonly units: string }
let installer: Daemon | undefined

sharedWorld({ hosts: 2 }, async (shared) => {
  world = shared.world
  host = world.host(name)
  await makeBare()
  before = { files: await files(), units: await units() }
  await newToken()
})
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-releases-'))
  return async () => rm(folder, { recursive: true })
})
afterEach(async () => stop())

/** Takes away what the test world's layers put there, so that the host is as before any Keelson; its kubelet gets a program of its own. */
async function makeBare(): Promise<void> {
  const command = '@/opt/testbed/node /usr/bin/kubelet /opt/testbed/kubelet.mjs $KUBELET_EXTRA_ARGS'
  await host.run(['cp', '/opt/keelson/current/bin/node', '/opt/testbed/node'])
  await mkdir(join(host.root, kubeletUnit, '..'), { recursive: true })
  await writeFile(join(host.root, kubeletUnit), `[Service]\nExecStart=\nExecStart=${command}\n`)
  await host.run(['systemctl', 'disable', '--now', 'keelson-agent'])
  const own = ['/etc/systemd/system/keelson-agent.service', '/opt/keelson', '/etc/keelson', '/var/lib/keelson']
  await host.run(['rm', '--recursive', ...own])
  await host.run(['systemctl', 'daemon-reload'])
  await host.run(['systemctl', 'restart', 'kubelet'])
}

/** As the kubelet gives one to the installer's Pod. */
async function newToken(): Promise<void> {
  const where = { node: name, namespace: systemNamespace, account: installerAccount }
  token = (await podToken(world.cluster, where)).kubeconfig
}

/** Everything on the host but what its services write by themselves. */
async function files(...extra: readonly string[]): Promise<string> {
  const volatile = ['/proc', '/sys', '/dev', '/tmp', '/var/tmp', '/var/log', '/var/lib/systemd'].flatMap((path) => [
    ...['-path', path, '-prune', '-o'],
  ])
  const found = await host.run(['find', '/', '-xdev', ...volatile, '-printf', `%y %m %l %p${extra.join('')}\n`])
  const own = await host.read(['find', '/run/keelson', '-printf', `%y %m %p${extra.join('')}\n`])
  return [...found.stdout.split('\n'), ...own.split('\n')].toSorted((a, b) => (a < b ? -1 : 1)).join('\n')
}

async function units(): Promise<string> {
  const loaded = await host.read(['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'keelson*'])
  return `${await host.read(['systemctl', 'list-unit-files', '--no-legend'])}\n${loaded}`
}

/** A release as an image holds it. */
async function release(version: string, agent?: string): Promise<string> {
  const target = join(folder, version)
  await mkdir(target)
  await layOutRelease(target, { version, ...(agent === undefined ? {} : { agentEntry: agent }) })
  return target
}

async function start(image: string, ...more: readonly string[]): Promise<void> {
  await stop()
  const argv = [
    ...['nsenter', `--target=${host.leader}`, '--pid', '--', 'setpriv', '--pdeathsig=TERM', '--'],
    ...[join(image, 'bin/node'), '--max-semi-space-size=1', join(image, 'keelson.mjs'), 'install-agent'],
    ...[`--image=${image}`, `--host-root=${host.liveRoot}`, `--probe-address=${probes}`, ...more],
  ]
  installer = new Daemon('installer', argv, { log: join(world.cluster.directory, 'installer.log') })
}

/** It ends when nsenter, which stands for it out here, has ended. */
async function stop(): Promise<void> {
  await installer?.stop('SIGTERM', 10_000)
  installer = undefined
  const hasEnded = async () =>
    fetch(`http://${probes}/healthz`).then(
      () => false,
      () => true,
    )
  await eventually('the installer has ended', hasEnded)
}

async function install(image: string): Promise<void> {
  await start(image, `--node-name=${name}`, `--address=${host.address}`, `--kubeconfig=${token}`)
}

/** What it says of itself, once that begins so. */
async function readiness(status: number, words: RegExp): Promise<string> {
  const asked = eventually(
    `the installer tells ${status}`,
    async () => {
      const answer = await fetch(`http://${probes}/readyz`)
      const text = await answer.text()
      if (answer.status !== status || !words.test(text)) throw new Error(`${answer.status} ${text}`)
      return text
    },
    patienceMs,
    200,
  )
  return asked.catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await installer?.tail(30)}`)
  })
}

async function object(): Promise<HostObject> {
  return JSON.parse(await world.kubectl('get', 'host', name, '--output=json')) as HostObject
}

async function ready(): Promise<string> {
  const condition = (await object()).status?.conditions.find(({ type }) => type === 'Ready')
  return `${condition?.status} ${condition?.reason}`
}

async function hostTells(version: string): Promise<void> {
  await eventually(
    `the Host is Ready with ${version}`,
    async () => (await ready()) === 'True AgentAnswers' && (await object()).status?.facts?.agentVersion === version,
    30_000,
  )
}

const process1 = async () => host.read(['systemctl', 'show', '--property=InvocationID', 'keelson-agent'])

test(
  'a bare host gets its agent, enrolled and at work; whoever looks again changes nothing',
  async () => {
    const image = await release('1.0.0')
    await install(image)
    await readiness(200, /at work/)
    await hostTells('1.0.0')
    expect(await host.read(['systemctl', 'is-enabled', 'keelson-agent'])).toBe('enabled')
    expect(await host.read(['readlink', '/opt/keelson/current'])).toMatch(/^versions\/1\.0\.0-[0-9a-f]{12}$/)
    const children = await readFile(`/proc/${installer!.pid}/task/${installer!.pid}/children`, 'utf8')
    const memory = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${children.trim()}/status`, 'utf8'))?.[1]
    console.log(`the installer takes ${Math.round(Number(memory) / 1024)} MiB`)
    expect(Number(memory)).toBeLessThan(128 * 1_024)

    const times = ' %T@ %C@'
    const [listing, invocation] = [await files(times), await process1()]
    await install(image)
    await readiness(200, /at work/)
    expect(await files(times)).toBe(listing)
    expect(await process1()).toBe(invocation)
  },
  timeoutMs,
)

test(
  'it survives a reboot, with and without an installer',
  async () => {
    await world.reboot(name)
    await hostTells('1.0.0')
    await install(join(folder, '1.0.0'))
    expect(await readiness(200, /at work/)).toBe('the agent of this version is at work\n')
  },
  timeoutMs,
)

test(
  'what somebody took away is there again',
  async () => {
    await host.run(['systemctl', 'disable', '--now', 'keelson-agent'])
    await host.run(['rm', '--recursive', '/opt/keelson', '/etc/keelson', '/etc/systemd/system/keelson-agent.service'])
    await install(join(folder, '1.0.0'))
    expect(await readiness(200, /at work/)).toBe('the agent of this version is at work\n')
    await hostTells('1.0.0')
  },
  timeoutMs,
)

test(
  'an upgrade is at work; one that does not come up is taken back, and that is said',
  async () => {
    await install(await release('1.1.0'))
    await readiness(200, /at work/)
    await hostTells('1.1.0')
    const broken = join(folder, 'broken.ts')
    await writeFile(broken, 'process.exit(7)\n')
    await install(await release('1.2.0', broken))
    const said = await readiness(503, /^AgentUpgradeFailed: /)
    expect(said).toMatch(/1\.2\.0-\w+ did not come up, so 1\.1\.0-\w+ is in its place.*exit-code, status 7/)
    await hostTells('1.1.0')
    expect(await host.read(['ls', '/opt/keelson/versions'])).toMatch(/^1\.0\.0-\w+\n1\.1\.0-\w+$/)
    await install(join(folder, '1.1.0'))
    await readiness(200, /at work/)
  },
  timeoutMs,
)

test(
  "a Node is deleted and made again: the old certificate is worthless, and the new Node's Pod gets a new one",
  async () => {
    const certificate = '/var/lib/keelson/tls/tls.crt'
    const old = await host.read(['cat', certificate])
    const { uid } = (await object()).metadata
    await world.kubectl('delete', 'node', name)
    await eventually(
      'the Host is gone',
      async () => !(await world.kubectl('get', 'hosts', '--output=name')).includes(name),
    )
    await host.run(['systemctl', 'restart', 'kubelet'])
    await eventually('the Host is there anew', async () => (await ready()) === 'False CertificateRevoked', 30_000)
    expect((await object()).metadata.uid).not.toBe(uid)
    await newToken()
    await install(join(folder, '1.1.0'))
    await readiness(200, /at work/)
    await hostTells('1.1.0')
    expect(await host.read(['cat', certificate])).not.toBe(old)
  },
  timeoutMs,
)

test(
  'it is taken away, and the host has the files and units that it had before',
  async () => {
    await start(join(folder, '1.1.0'), '--state=Absent')
    await readiness(200, /not on this host/)
    expect((await files()).split('\n').filter((line) => !before.files.includes(line))).toEqual([])
    expect(await files()).toBe(before.files)
    expect(await units()).toBe(before.units)
    const times = ' %T@ %C@'
    const listing = await files(times)
    await start(join(folder, '1.1.0'), '--state=Absent')
    await readiness(200, /not on this host/)
    expect(await files(times)).toBe(listing)
  },
  timeoutMs,
)
