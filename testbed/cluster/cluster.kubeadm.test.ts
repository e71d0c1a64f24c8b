import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { eventually } from '../deadline.ts'
import type { Host } from '../hosts/host.ts'
import { dockerArchive } from '../images/docker-archive.ts'
import { programs } from '../programs/programs.ts'
import { Cluster } from './cluster.ts'
import { busyboxImage } from './images.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.boot()
  await cluster.mustKubectl(['apply', '--filename=-'], { input: manifests })
  await cluster.mustKubectl(['wait', '--for=condition=Ready', 'pod/client', 'pod/server', '--timeout=60s'])
  return () => cluster[Symbol.asyncDispose]()
})

const container = (command: readonly string[], more = {}) => ({
  name: 'main',
  image: busyboxImage,
  command,
  ...more,
})
const pod = (name: string, nodeName: string, main: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    nodeName,
    containers: [main],
    terminationGracePeriodSeconds: 0,
    // A page that is the name of the pod.
    volumes: [
      {
        name: 'pages',
        downwardAPI: { items: [{ path: 'index.html', fieldRef: { fieldPath: 'metadata.name' } }] },
      },
    ],
  },
})
const serve = container(['httpd', '-f', '-vv', '-p', '8080', '-h', '/pages'], {
  volumeMounts: [{ name: 'pages', mountPath: '/pages' }],
  readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1 },
})
const manifests = [
  pod('client', 'worker-1', container(['sleep', '100000'])),
  pod('server', 'worker-2', serve),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'server' },
    spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
]
  .map((object) => stringify(object))
  .join('---\n')

const get = (...args: string[]) => cluster.mustKubectl(['get', ...args])
/** One field of an object, by kubectl's JSONPath. */
const field = (object: string, path: string) => get(object, `--output=jsonpath={${path}}`)
const ready = (node: string) => field(`node/${node}`, '.status.conditions[?(@.type=="Ready")].status')
/** What the client's pod sees of the server's, by the Service's name. */
const fetch = (...from: string[]) =>
  cluster.mustKubectl(['exec', ...from, '--', 'wget', '-q', '-O', '-', 'http://server.default.svc.cluster.local'])
const bootId = (host: Host) => host.read(['cat', '/proc/sys/kernel/random/boot_id'])

test('its Nodes are Ready, under names that are not those of their hosts', async () => {
  const names = (await get('nodes', '--output=jsonpath={.items[*].metadata.name}')).split(' ')
  expect(names).toEqual(['control-plane', 'worker-1', 'worker-2'])
  expect(await Promise.all(names.map(ready))).toEqual(['True', 'True', 'True'])
  const hostnames = await Promise.all(names.map((name) => cluster.host(name).read(['hostname'])))
  expect(hostnames).toEqual(['metal-1', 'metal-2', 'metal-3'])
  expect(await field('node/worker-2', '.status.addresses[?(@.type=="InternalIP")].address')).toBe(
    cluster.host('worker-2').address,
  )
})

describe('a pod', () => {
  test('resolves a Service by its name, and reaches by it a pod of another host', async () => {
    const address = await field('service/server', '.spec.clusterIP')
    const found = await cluster.mustKubectl(['exec', 'client', '--', 'nslookup', 'server.default.svc.cluster.local'])
    expect(found).toContain(address)
    expect(await fetch('client')).toBe('server')
  })

  test('writes logs that kubectl shows; a server sees the own address of the pod that asked', async () => {
    await fetch('client')
    const address = await field('pod/client', '.status.podIP')
    expect(await cluster.mustKubectl(['logs', 'server'])).toMatch(new RegExp(`${address}\\]?:\\d+: url:/`))
  })

  test('runs an image that was loaded by hand', async () => {
    // As long as the cluster lives: a worker that joins later gets the image too.
    const directory = join(cluster.directory, 'loaded')
    const tree = join(directory, 'tree')
    await mkdir(join(tree, 'bin'), { recursive: true })
    await copyFile(join(await programs('pause'), 'pause'), join(tree, 'bin/loaded'))
    const reference = 'testbed.keelson.dev/loaded:1'
    const out = join(directory, 'loaded.tar')
    await dockerArchive({ reference, tree, out, entrypoint: ['/bin/loaded'] })
    await cluster.loadImage(out)
    await cluster.mustKubectl(['run', 'loaded', '--image=testbed.keelson.dev/loaded:1'])
    await cluster.mustKubectl(['wait', '--for=condition=Ready', 'pod/loaded', '--timeout=60s'])
    expect(await field('pod/loaded', '.status.containerStatuses[0].image')).toBe('testbed.keelson.dev/loaded:1')
  })
})

test('helm speaks with it', async () => {
  const { exitCode, stdout } = await cluster.helm(['list', '--all-namespaces', '--output=json'])
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, []])
})

describe('a worker', () => {
  /** Its Node is Ready in its present boot, and the server's pod, anew, on it. */
  async function comesBack(restartsBefore: string): Promise<void> {
    const now = await bootId(cluster.host('worker-2'))
    await eventually(
      'worker-2 is Ready in its new boot',
      async () =>
        (await field('node/worker-2', '.status.nodeInfo.bootID')) === now && (await ready('worker-2')) === 'True',
      60_000,
      500,
    )
    await eventually(
      'its pod has started anew',
      async () => {
        const status = await field(
          'pod/server',
          '.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready',
        )
        const [restarts, isReady] = status.split(' ')
        return Number(restarts) > Number(restartsBefore) && isReady === 'true'
      },
      60_000,
      500,
    )
    await eventually('its pod answers by its Service', () => fetch('client'), 20_000, 500)
  }
  const restarts = () => field('pod/server', '.status.containerStatuses[0].restartCount')

  test('that reboots comes back, and its pods', async () => {
    const before = await restarts()
    await cluster.host('worker-2').reboot()
    await comesBack(before)
    expect(await fetch('client')).toBe('server')
  })

  test('that loses power turns Unknown; with power it comes back, and its pods', async () => {
    const before = await restarts()
    await cluster.host('worker-2').powerCut()
    await eventually('worker-2 is Unknown', async () => (await ready('worker-2')) === 'Unknown', 60_000, 500)
    await cluster.host('worker-2').powerOn()
    await comesBack(before)
    expect(await fetch('client')).toBe('server')
  })

  test('that is added joins, under the name of its host if that is asked for, and its pods reach the others', async () => {
    const host = await cluster.addWorker('worker-3', { hostname: 'worker-3' })
    expect(await host.read(['hostname'])).toBe('worker-3')
    expect(await ready('worker-3')).toBe('True')
    const late = stringify(pod('late', 'worker-3', container(['sleep', '100000'])))
    await cluster.mustKubectl(['apply', '--filename=-'], { input: late })
    await cluster.mustKubectl(['wait', '--for=condition=Ready', 'pod/late', '--timeout=60s'])
    expect(await fetch('late')).toBe('server')
  })
})

test('the credentials that joined its hosts do not lie on them', async () => {
  for (const { root } of cluster.lab.hosts)
    await expect(readFile(join(root, 'etc/kubernetes/kubeadm.yaml'))).rejects.toMatchObject({ code: 'ENOENT' })
})
