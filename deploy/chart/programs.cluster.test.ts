import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { imageEntrypoint, imageReference, imageUser, installManifests, layOutImage } from '../index.ts'
import { ChartCluster } from './testing/chart-cluster.fixture.ts'

type Probe = { readonly httpGet: { readonly path: string; readonly port: string } }
type Probes = Readonly<Record<'livenessProbe' | 'readinessProbe' | 'startupProbe', Probe>>
type Container = {
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
} & Probes
type Pod = {
  readonly serviceAccountName: string
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number }
  readonly containers: readonly Container[]
}

/** By name, as the chart's defaults make them. */
const pods = new Map(
  installManifests({ workloads: true })
    .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
    .map((object) => [
      object.metadata.name,
      (object as unknown as { spec: { template: { spec: Pod } } }).spec.template.spec,
    ]),
)

let cluster: ChartCluster
let folder: string
beforeAll(async () => {
  cluster = await ChartCluster.start()
  await cluster.kubectl(['create', 'namespace', 'keelson-system'])
  await cluster.install()
  folder = await mkdtemp(join(tmpdir(), 'keelson-programs-'))
  const pages = join(folder, 'pages')
  await mkdir(pages)
  await writeFile(join(pages, 'index.html'), '<!doctype html>')
  await layOutImage(folder, { pages })
})
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

test.each([...pods])(
  '%s: the image, its entry point and user are those that are built',
  (name, { containers, securityContext }) => {
    expect(containers).toHaveLength(1)
    const { image, command } = containers[0]!
    expect(image).toBe(imageReference())
    expect([command[0], command.at(-1)]).toEqual(imageEntrypoint)
    const { runAsUser, runAsGroup } = securityContext
    expect(`${runAsUser}:${runAsGroup}`).toBe(name === 'keelson-installer' ? '0:0' : imageUser)
  },
)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

type Started = { readonly container: Container; readonly port: number; readonly log: () => string }

/** Starts what a Pod's container starts, as the Pod's account; only paths, port and the way to the API server are this machine's. */
async function start(name: 'keelson-console' | 'keelson-operator' | 'keelson-installer'): Promise<Started> {
  const { containers, serviceAccountName } = pods.get(name)!
  const container = containers[0]!
  const kubeconfig = await cluster.controlPlane.serviceAccountKubeconfig('keelson-system', serviceAccountName)
  const port = await freePort()
  const data = join(folder, name)
  await mkdir(data)
  const here = (text: string) =>
    text
      .replace(/^\/opt\/keelson/, join(folder, 'opt/keelson'))
      .replace('/var/lib/keelson-console', data)
      .replace(/^--host-root=.*/, `--host-root=${data}`)
      .replace('$(NODE_NAME)', 'node1')
      .replace('$(HOST_IP)', '192.0.2.1')
      .replace(/(?<==:|^)808[01]$/, String(port))
  const environment = Object.fromEntries((container.env ?? []).map(({ name: key, value = '' }) => [key, here(value)]))
  const [program, ...rest] = [...container.command, ...container.args].map(here)
  const own = name === 'keelson-console' ? { KEELSON_CONSOLE_KUBECONFIG: kubeconfig } : {}
  const flags = {
    'keelson-console': [],
    'keelson-operator': [`--kubeconfig=${kubeconfig}`],
    'keelson-installer': [`--kubeconfig=${kubeconfig}`, `--image=${join(folder, 'opt/keelson')}`],
  }[name]
  let log = ''
  const child: ChildProcess = spawn(program!, [...rest, ...flags], {
    env: { ...environment, ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text))
  onTestFinished(async () => {
    const ended = child.exitCode ?? child.signalCode ?? once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  return { container, port, log: () => log }
}

/** Asks what a probe asks, until it is answered so. */
async function answered(
  { container, port, log }: Started,
  kind: keyof Probes,
  status: number,
  words: string,
): Promise<void> {
  const { path, port: name } = container[kind].httpGet
  expect(container.ports.map((each) => each.name)).toEqual([name])
  let last: unknown
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    last = [response?.status, await response?.text()]
    return response?.status === status && String(last).includes(words)
  }
  await eventually(`${kind} ${path} is answered ${status} ${words}`, ask, 20_000).catch((cause: unknown) => {
    throw new Error(`${String(cause)}; last: ${String(last)}; log: ${log()}`, { cause })
  })
}

// Before an operator has run here, and made what it waits for.
test('keelson-installer takes its arguments, and is not ready before there is an operator', async () => {
  const started = await start('keelson-installer')
  expect(started.container.ports[0]!.containerPort).toBe(8081)
  for (const kind of ['startupProbe', 'livenessProbe'] as const) await answered(started, kind, 200, '')
  await answered(started, 'readinessProbe', 503, 'keelson-agent-trust')
})

test.each(['keelson-operator', 'keelson-console'] as const)(
  '%s takes its arguments, and becomes ready with the rights of its account',
  async (name) => {
    const started = await start(name)
    expect(started.container.ports[0]!.containerPort).toBe(8080)
    for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
      await answered(started, kind, 200, 'ok')
  },
)
