import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemNamespace } from '@keelson/api'
import { productVersion } from '@keelson/api/product-version'
import { enrol } from '@keelson/install'
import { KubeClient } from '@keelson/kube'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { brokenImage, chartFolder, nextImage } from '../../cluster/install.ts'
import { eventually } from '../../deadline.ts'
import { change } from '../../world/requests.ts'
import { HostSnapshot } from './host-snapshot.ts'
import { InstalledCluster, isReady, nodeOf } from './installed-cluster.ts'
import { podCredentials } from './pod-credentials.ts'

// One cluster for all of them, in this order: what takes minutes goes on while others are at work on other hosts.

let keelson: InstalledCluster
beforeAll(async () => {
  keelson = await InstalledCluster.boot()
  return () => keelson[Symbol.asyncDispose]()
})

beforeEach(({ onTestFailed }) => onTestFailed(async () => console.error(await keelson.sight())))
// One that failed halfway leaves none held for the next.
afterEach(async () => keelson.unit.release())

const onEach = <T>(hosts: readonly string[], value: T) => Object.fromEntries(hosts.map((name) => [name, value]))
/** Where a test fails before it comes to this, that failure is the one to be told. */
function awaitedLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

const minutesWithoutKubelet = 2
let stoppedAt = 0

test('installed: Pods of every part run, each host has its agent, and a request reaches all of them', async () => {
  for (const [component, count] of [
    ['operator', 2],
    ['console', 1],
    ['installer', 3],
  ] as const) {
    const pods = await keelson.pods(component)
    expect([component, pods.length, pods.every(isReady)]).toEqual([component, count, true])
  }
  expect(new Set((await keelson.pods('operator')).map(nodeOf)).size).toBe(2)
  expect(await keelson.agentVersions()).toEqual(onEach(keelson.names, productVersion))
  const forwarding = change([], 'sysctl', { 'net.ipv4.conf.all.log_martians': '1' })
  expect((await keelson.requests.send('first', forwarding)).status).toMatchObject({ state: 'SUCCESS', progress: '3/3' })
  for (const host of keelson.cluster.lab.hosts)
    expect(await host.read(['sysctl', '--values', 'net.ipv4.conf.all.log_martians'])).toBe('1')
})

test('kubelet and container runtime are stopped: the Node is not ready, and the agent serves on', async () => {
  const host = keelson.cluster.host('worker-2')
  await host.run(['systemctl', 'stop', 'kubelet', 'containerd'])
  stoppedAt = performance.now()
  await keelson.nodeReady('worker-2', false)
  const skipped = await keelson.ask('skipped', ['worker-1', 'worker-2'])
  expect(skipped).toMatchObject({ state: 'SUCCESS', counts: { succeeded: 1, skipped: 1 } })
  expect(skipped?.msg).toContain('worker-2')
  const tried = await keelson.ask('tried', ['worker-2'], { onOffline: 'Try', answers: 'Sample' })
  expect(tried).toMatchObject({ state: 'SUCCESS', progress: '1/1' })
  expect(tried?.answers?.[0]?.body).toContain('metal-3')
})

test("whoever has the installer's token, as the kubelet of its Node wrote it, asks for that Node's certificate and nothing else", async () => {
  const pod = await keelson.readyPodOn('installer', 'worker-1')
  const kubeconfig = await podCredentials(keelson.cluster, 'worker-1', pod)
  const attack = async (...args: string[]) => (await keelson.cluster.kubectl(args, { kubeconfig })).stderr
  const whoami = await keelson.cluster.kubectl(['auth', 'whoami', '--output=json'], { kubeconfig })
  expect(whoami.stdout).toContain('system:serviceaccount:keelson-system:keelson-installer')
  for (const args of [
    ['get', 'secrets', '--all-namespaces'],
    ['get', 'secret', 'keelson-agent-ca', `--namespace=${systemNamespace}`],
    ['get', 'pods', `--namespace=${systemNamespace}`],
    ['patch', 'host', 'worker-1', '--type=merge', '--patch={"metadata":{"labels":{"a":"b"}}}'],
    ['patch', 'node', 'worker-1', '--type=merge', '--patch={"metadata":{"labels":{"a":"b"}}}'],
    ['create', 'token', 'keelson-operator', `--namespace=${systemNamespace}`],
    ['get', 'certificatesigningrequests'],
  ])
    expect([args, await attack(...args)]).toEqual([args, expect.stringMatching(/forbidden/i)])

  await using client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'attacker' })
  const folder = join(keelson.cluster.directory, 'attacker')
  const requests: string[] = []
  const onRequest = ({ name }: { name: string }) => void requests.push(name)
  const other = enrol({ client, name: 'control-plane', folder, timeoutMs: 30_000, onRequest })
  await expect(other).rejects.toMatchObject({ code: 'RequestDenied' })
  const own = await keelson.kubectl('get', `csr/${requests[0]}`, '--output=jsonpath={.status.certificate}')
  expect(own).toBe('')
  for (const subresource of ['approval', 'status'])
    expect(
      await attack(
        'patch',
        'csr',
        requests[0]!,
        `--subresource=${subresource}`,
        '--type=merge',
        '--patch={"status":{}}',
      ),
    ).toMatch(/forbidden/i)
})

test('a host that bears another name than its Node gets a new one; its Node keeps its own', async () => {
  const renamed = change(['worker-1'], 'hostname', { static: 'edge-1' })
  expect((await keelson.requests.send('renamed', renamed)).status).toMatchObject({ state: 'SUCCESS' })
  const host = keelson.cluster.host('worker-1')
  expect(await host.read(['hostname'])).toBe('edge-1')
  // The kubelet tells its name anew when it starts.
  await host.run(['systemctl', 'restart', 'kubelet'])
  await keelson.nodeReady('worker-1', true)
  expect((await keelson.kubectl('get', 'nodes', '--output=name')).split('\n')).toEqual([
    'node/control-plane',
    'node/worker-1',
    'node/worker-2',
  ])
})

test('a third worker joins: it has Host, installer, certificate and agent without a hand', async () => {
  await keelson.addWorker('worker-3', { hostname: 'worker-3' })
  await keelson.hostReady('worker-3')
  await keelson.readyPodOn('installer', 'worker-3')
  const asked = await keelson.requests.send('third', keelson.unit.restart(['worker-3']))
  expect(asked.status).toMatchObject({ state: 'SUCCESS', progress: '1/1' })
  expect((await keelson.unit.starts())['worker-3']).toBe(1)
})

test('a host that bears the name of its Node is not renamed', async () => {
  const renamed = change(['worker-3'], 'hostname', { static: 'edge-3' })
  const { status } = await keelson.requests.send('refused', renamed)
  expect(status).toMatchObject({ state: 'ERROR', failures: [{ host: 'worker-3', code: 409 }] })
  expect(status?.failures[0]?.message).toContain('NodeWouldBeRenamed')
  expect(await keelson.cluster.host('worker-3').read(['hostname'])).toBe('worker-3')
})

test('its Node is deleted: the Host is gone and its certificate worthless; with a new Node it is enrolled anew', async () => {
  const host = keelson.cluster.host('worker-3')
  const certificate = () => host.read(['sha256sum', '/var/lib/keelson/tls/tls.crt'])
  const old = await certificate()
  await host.run(['cp', '--archive', '/var/lib/keelson/tls', '/root/old-tls'])
  await keelson.kubectl('delete', 'node/worker-3')
  await eventually('its Host is gone', async () => (await keelson.host('worker-3')) === undefined)
  // Some forty seconds later. A kube-proxy that survives the deletion of its Node leads nobody to the API server any more.
  await eventually(
    'its Pods are collected',
    async () => (await keelson.pods('installer')).every((pod) => nodeOf(pod) !== 'worker-3'),
    90_000,
  )
  await host.run(['systemctl', 'restart', 'kubelet'])
  await keelson.nodeReady('worker-3', true)
  await keelson.hostReady('worker-3')
  expect(await certificate()).not.toBe(old)

  // The new Node's agent with the old Node's key.
  await host.run(['cp', '--archive', '/var/lib/keelson/tls', '/root/new-tls'])
  const wear = async (tls: string) => {
    await host.run(['cp', '--archive', '--no-target-directory', tls, '/var/lib/keelson/tls'])
    await host.run(['systemctl', 'restart', 'keelson-agent'])
  }
  await wear('/root/old-tls')
  await eventually('it is refused', async () => (await keelson.readiness('worker-3')).startsWith('CertificateRevoked'))
  const refused = await keelson.ask('revoked', ['worker-3'])
  expect(refused).toMatchObject({ state: 'ERROR', failures: [{ host: 'worker-3', reason: 'CertificateRevoked' }] })
  await wear('/root/new-tls')
  await keelson.hostReady('worker-3')
})

test('a worker is rebooted under a request: it is done at most once there, and the next one reaches it', async () => {
  const host = keelson.cluster.host('worker-1')
  const { metadata } = await keelson.underWay('rebooted', ['worker-1', 'worker-3'])
  await host.reboot()
  await keelson.unit.release()
  const { status } = await keelson.requests.finished('rebooted', metadata.generation ?? 0, 90_000)
  // Its systemd ended the start, or the agent, whichever came first: either way it is told.
  expect(status).toMatchObject({ state: 'ERROR', counts: { targets: 2, succeeded: 1, skipped: 0 } })
  expect(await keelson.unit.starts()).toEqual({ 'worker-1': 1, 'worker-3': 1 })
  await keelson.nodeReady('worker-1', true)
  await keelson.hostReady('worker-1')
  expect(await host.read(['hostname'])).toBe('edge-1')
  expect(await keelson.ask('after-reboot', ['worker-1'])).toMatchObject({ state: 'SUCCESS' })
})

test('the plug of a worker is pulled under a request: the outcome is unknown, and it is not done again', async () => {
  const host = keelson.cluster.host('worker-1')
  const { metadata } = await keelson.underWay('cut', ['worker-1', 'worker-3'])
  await host.powerCut()
  await host.powerOn()
  await keelson.unit.release()
  const { status } = await keelson.requests.finished('cut', metadata.generation ?? 0, 90_000)
  expect(status).toMatchObject({
    ...{ state: 'ERROR', counts: { targets: 2, succeeded: 1, failed: 0, unknown: 1 } },
    failures: [{ host: 'worker-1' }],
  })
  expect(await keelson.unit.starts()).toEqual({ 'worker-1': 1, 'worker-3': 1 })
  await keelson.nodeReady('worker-1', true)
  await keelson.hostReady('worker-1')
  expect(await keelson.ask('after-cut', ['worker-1'])).toMatchObject({ state: 'SUCCESS' })
})

test('after two minutes without kubelet and container runtime: requests start both again, the Node is Ready, its Pods are back', async () => {
  await sleep(Math.max(0, stoppedAt + minutesWithoutKubelet * 60_000 - performance.now()))
  for (const unit of ['containerd', 'kubelet']) {
    const started = change(['worker-2'], 'systemdUnit', { name: `${unit}.service`, state: 'started' })
    const { status } = await keelson.requests.send(`start-${unit}`, { ...started, onOffline: 'Try' })
    expect(status).toMatchObject({ state: 'SUCCESS', progress: '1/1' })
  }
  await keelson.nodeReady('worker-2', true)
  await keelson.hostReady('worker-2')
  await keelson.readyPodOn('installer', 'worker-2')
  expect(await keelson.ask('online-again', ['worker-2'])).toMatchObject({ state: 'SUCCESS', counts: { skipped: 0 } })
})

test('the leading Pod of the operator is deleted under a request: the next one ends it, and nothing is sent twice', async () => {
  const { metadata } = await keelson.underWay('led', keelson.names)
  const leader = await keelson.leader()
  await keelson.kubectl('delete', 'pod', leader, `--namespace=${systemNamespace}`, '--wait=false')
  await eventually('another one leads', async () => ![leader, ''].includes(await keelson.leader()), 30_000)
  await keelson.unit.release()
  const { status } = await keelson.requests.finished('led', metadata.generation ?? 0, 60_000)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '4/4', run: { round: 0 } })
  expect(await keelson.unit.starts()).toEqual(onEach(keelson.names, 1))
})

test("the Nodes of both of the operator's Pods are drained: never are both away, and a request under way ends", async () => {
  await eventually('both are Ready', async () => (await keelson.pods('operator')).filter(isReady).length === 2, 60_000)
  const nodes = (await keelson.pods('operator')).map(nodeOf).toSorted()
  const { metadata } = await keelson.underWay('drained', keelson.names)
  const leader = await keelson.leader()
  const fewest = keelson.fewestReady('operator')
  const drained = awaitedLater(
    keelson.kubectl('drain', ...nodes, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'),
  )
  await keelson.releaseOnceChanged(leader)
  const { status } = await keelson.requests.finished('drained', metadata.generation ?? 0, 60_000)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '4/4', run: { round: 0 } })
  expect(await keelson.unit.starts()).toEqual(onEach(keelson.names, 1))
  await drained
  await eventually(
    'both are elsewhere',
    async () => {
      const pods = await keelson.pods('operator')
      return pods.filter(isReady).length === 2 && pods.every((pod) => !nodes.includes(nodeOf(pod)))
    },
    60_000,
  )
  expect(await fewest.end()).toBeGreaterThanOrEqual(1)
  await keelson.kubectl('uncordon', ...nodes)
})

test('a version whose agent does not come up: one host goes back by itself, no other is touched, and a good one heals it', async () => {
  const before = await keelson.agentProcesses()
  await keelson.install({ image: brokenImage, wait: false })
  const logs = ['logs', '--selector=app.kubernetes.io/component=installer', '--prefix', '--tail=-1']
  const [said, pod] = await eventually(
    'a host has gone back',
    async () => {
      const { stdout } = await keelson.cluster.kubectl([...logs, `--namespace=${systemNamespace}`])
      return /\[pod\/([^/]+)\/installer\] .*AgentUpgradeFailed.*/.exec(stdout) ?? undefined
    },
    120_000,
  )
  expect(said).toContain(brokenImage.version)
  const tried = (await keelson.pods('installer')).find(({ metadata }) => metadata.name === pod)
  expect(isReady(tried)).toBe(false)
  await keelson.hostReady(nodeOf(tried!))
  const after = await keelson.agentProcesses()
  expect(keelson.names.filter((name) => after[name] !== before[name])).toEqual([nodeOf(tried!)])
  expect(await keelson.agentVersions()).toEqual(onEach(keelson.names, productVersion))
  expect(await keelson.ask('gone-back', keelson.names)).toMatchObject({ state: 'SUCCESS', progress: '4/4' })
})

test('the chart is upgraded under a request: it ends as if nothing had been, and the agents follow Node by Node', async () => {
  const { metadata } = await keelson.underWay('upgraded', keelson.names)
  const leader = await keelson.leader()
  const upgraded = awaitedLater(keelson.install({ image: nextImage }))
  await keelson.releaseOnceChanged(leader)
  const { status } = await keelson.requests.finished('upgraded', metadata.generation ?? 0, 90_000)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '4/4', run: { round: 0 } })
  expect(await keelson.unit.starts()).toEqual(onEach(keelson.names, 1))
  await upgraded
  await keelson.agentsAre(nextImage.version)
  const away = await keelson.agentsAway()
  for (const [index, { from }] of away.slice(1).entries()) expect(from).toBeGreaterThan(away[index]!.until)
})

test('rolled back under a request: likewise', async () => {
  const { metadata } = await keelson.underWay('rolled-back', keelson.names)
  const leader = await keelson.leader()
  const rolledBack = awaitedLater(keelson.helm('rollback', 'keelson', '1', '--wait', '--timeout=180s'))
  await keelson.releaseOnceChanged(leader)
  const { status } = await keelson.requests.finished('rolled-back', metadata.generation ?? 0, 90_000)
  expect(status).toMatchObject({ state: 'SUCCESS', progress: '4/4', run: { round: 0 } })
  expect(await keelson.unit.starts()).toEqual(onEach(keelson.names, 1))
  await rolledBack
  await keelson.agentsAre(productVersion)
})

test('uninstalled, the agents stay and run; installed again, requests reach them', async () => {
  const before = await keelson.agentProcesses()
  await keelson.helm('uninstall', 'keelson', '--wait', '--timeout=60s')
  expect(await keelson.agentProcesses()).toEqual(before)
  await keelson.install()
  expect(await keelson.agentProcesses()).toEqual(before)
  expect(await keelson.ask('installed-again', [])).toMatchObject({ state: 'SUCCESS', progress: '4/4' })
})

test('the agents are taken away and Keelson is uninstalled: hosts and cluster are as they were', async () => {
  await keelson.helm(
    'upgrade',
    'keelson',
    chartFolder,
    '--reset-then-reuse-values',
    '--set=agent.state=Absent',
    '--wait',
    '--timeout=60s',
  )
  await keelson.helm('uninstall', 'keelson', '--wait', '--timeout=60s')
  await keelson.unit.reset()
  for (const [name, before] of keelson.before) {
    const after = await HostSnapshot.take(keelson.cluster.host(name))
    // What it was asked to do stays.
    const asked = /[/]etc[/](sysctl[.]d[/]99-zz-keelson[.]conf|hostname)( |$)/
    expect([name, before.changesTo(after).filter((line) => !asked.test(line))]).toEqual([name, []])
  }
  // Whose Pods are collected a little later.
  await expect.poll(async () => keelson.leftInCluster(), { timeout: 30_000 }).toEqual([])
  await keelson.kubectl('delete', 'crd/hostrequests.keelson.dev', 'crd/hosts.keelson.dev', '--timeout=60s')
  await keelson.kubectl('delete', 'namespace/keelson-users', `namespace/${systemNamespace}`, '--timeout=60s')
})
