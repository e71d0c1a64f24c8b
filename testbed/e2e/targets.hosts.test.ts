import { ForbiddenError, kinds, KubeClient } from '@keelson/kube'
import { expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { change, Requests } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
sharedWorld({ hosts: 6 }, (shared) => ({ world, requests } = shared))

const key = 'net.ipv4.ip_forward'
const forwarding = (host: string) => world.host(host).read(['sysctl', '-n', key])
const condition = (host: string, type: string) =>
  world.kubectl('get', 'host', host, `--output=jsonpath={.status.conditions[?(@.type=="${type}")].status}`)

test('an unknown name stops the whole request: it is named and nothing is sent', async () => {
  const { status } = await requests.send('unknown', change(['worker-1', 'nobody'], 'sysctl', { [key]: '1' }))
  expect(status).toMatchObject({ state: 'ERROR', msg: 'no such host: nobody; nothing was sent' })
  expect(await forwarding('worker-1')).toBe('0')
})

test('a named host of another role is skipped and named', async () => {
  const spec = change(['worker-1', 'control-plane'], 'sysctl', { [key]: '1' })
  const { status } = await requests.send('role', { ...spec, http: { ...spec.http, targetType: 'ControlPlane' } })
  expect(status).toMatchObject({
    state: 'SUCCESS',
    progress: '1/1',
    msg: '1/1 hosts answered; skipped: worker-1 (not targeted)',
  })
  expect([await forwarding('control-plane'), await forwarding('worker-1')]).toEqual(['1', '0'])
})

test('a selector narrows by the labels of the Nodes', async () => {
  await world.kubectl('label', 'node', 'worker-2', 'zone=b')
  await eventually(
    'the Host has the label',
    async () =>
      (await world.kubectl('get', 'hosts', '--selector=zone=b', '--output=name')) === 'host.keelson.dev/worker-2',
  )
  const { status } = await requests.send('selector', {
    ...change([], 'sysctl', { [key]: '1' }),
    hostSelector: { matchLabels: { zone: 'b' } },
  })
  expect(status).toMatchObject({ state: 'SUCCESS', msg: '1/1 hosts answered' })
  expect([await forwarding('worker-2'), await forwarding('worker-1')]).toEqual(['1', '0'])
  const nobody = await requests.send('selector', {
    ...change([], 'sysctl', { [key]: '1' }),
    hostSelector: { matchLabels: { zone: 'c' } },
  })
  expect(nobody.status).toMatchObject({ state: 'ERROR', counts: { targets: 0 } })
})

test('a host whose agent is away fails by name, the others are served', async () => {
  await world.host('worker-2').run(['systemctl', 'stop', 'keelson-agent'])
  await eventually('the Host is not Ready', async () => (await condition('worker-2', 'Ready')) === 'False', 20_000)
  expect(await condition('worker-2', 'Online')).toBe('True')
  const { status } = await requests.send('one-away', change(['worker-1', 'worker-2'], 'sysctl', { [key]: '1' }))
  expect(status).toMatchObject({
    state: 'ERROR',
    progress: '1/2',
    failures: [{ host: 'worker-2', reason: 'ConnectFailed' }],
  })
  expect(await forwarding('worker-1')).toBe('1')
  await world.host('worker-2').run(['systemctl', 'start', 'keelson-agent'])
  await eventually('the Host is Ready again', async () => (await condition('worker-2', 'Ready')) === 'True', 20_000)
})

test('a host that is cut off fails while its Node is Ready and is skipped, and named, once it is not', async () => {
  await world.host('worker-2').powerCut()
  // Before that, what is written into a connection that is open still might have arrived: such a host would be unknown.
  await eventually('its agent is missed', async () => (await condition('worker-2', 'Ready')) === 'False')
  expect(await condition('worker-2', 'Online')).toBe('True')
  const spec = { ...change(['worker-1', 'worker-2'], 'sysctl', { [key]: '1' }), timeoutSeconds: 2 }
  const { status } = await requests.send('power-cut', spec)
  expect(status).toMatchObject({
    state: 'ERROR',
    counts: { succeeded: 1, failed: 1 },
    failures: [{ host: 'worker-2' }],
  })

  await eventually('the Host is offline', async () => (await condition('worker-2', 'Online')) === 'False', 40_000)
  const later = await requests.send('power-cut', { ...spec, timeoutSeconds: 3 })
  expect(later.status).toMatchObject({
    state: 'SUCCESS',
    progress: '1/1',
    msg: '1/1 hosts answered; skipped: worker-2 (offline)',
  })

  await world.host('worker-2').powerOn()
  await eventually('the Host is Ready again', async () => (await condition('worker-2', 'Ready')) === 'True', 20_000)
})

test('a Node that is deleted takes its Host along', async () => {
  await world.client.apply(kinds.Node, { metadata: { name: 'short-lived' } })
  const present = async () => (await world.kubectl('get', 'hosts', '--output=name')).includes('short-lived')
  await eventually('its Host is there', present)
  await world.kubectl('delete', 'node', 'short-lived')
  await eventually('its Host is gone', async () => !(await present()))
  expect(await present()).toBe(false)
})

test('who may write HostRequests but not their status cannot write status', async () => {
  await world.kubectl(
    'create',
    'role',
    'requester',
    '--verb=get,create,update,patch',
    '--resource=hostrequests.keelson.dev',
  )
  await world.kubectl('create', 'rolebinding', 'requester', '--role=requester', '--serviceaccount=default:requester')
  const kubeconfig = await world.cluster.serviceAccountKubeconfig('default', 'requester')
  await using client = await KubeClient.fromKubeconfig(kubeconfig)
  const requester = new Requests(client)
  const before = await requester.get('role')
  await expect(requester.patch('role', { status: { msg: 'forged' } }, 'status')).rejects.toThrow(ForbiddenError)
  // In the body of the object itself a status is ignored, whoever sends it.
  await requester.patch('role', { status: { msg: 'forged' }, metadata: { labels: { written: 'yes' } } })
  expect(await requester.get('role')).toMatchObject({ status: before.status, metadata: { labels: { written: 'yes' } } })
})
