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
type Container = {
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
} & Readonly<Record<'livenessProbe' | 'readinessProbe' | 'startupProbe', Probe>>
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

/** Starts what a Pod's container starts, as the Pod's account; only paths, port and the way to the API server are this machine's. */
async function start(
  name: string,
): Promise<{ readonly container: Container; readonly port: number; readonly log: () => string }> {
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
      .replace(/(?<==:|^)8080$/, String(port))
  const environment = Object.fromEntries(
    (container.env ?? []).map((variable) => [variable.name, here(variable.value!)]),
  )
  const [program, ...rest] = [...container.command, ...container.args].map(here)
  const own = name === 'keelson-console' ? { KEELSON_CONSOLE_KUBECONFIG: kubeconfig } : {}
  const flags = name === 'keelson-console' ? [] : [`--kubeconfig=${kubeconfig}`]
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

test.each([
  ['keelson-operator', 'metrics'],
  ['keelson-console', 'http'],
])('%s takes its arguments, and answers the probes with the rights of its account', async (name, portName) => {
  const { container, port, log } = await start(name)
  expect(container.ports).toEqual([{ name: portName, containerPort: 8080 }])
  for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const { path, port: asked } = container[kind].httpGet
    expect(asked).toBe(portName)
    await eventually(
      `${name} answers ${path}; log: ${log()}`,
      async () => (await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined))?.status === 200,
      20_000,
    )
  }
})
