import { expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { change, type Requests, webGet, type SpecInput } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
const workers = ['worker-1', 'worker-2']
sharedWorld({}, async (shared) => {
  ;({ world, requests } = shared)
  await requests.send('nginx', change(workers, 'systemdUnit', { name: 'nginx.service', state: 'started' }))
})

/** The requests for a path that each web server has written down. */
async function logged(path: string): Promise<number[]> {
  const count = async (host: string) => {
    const log = await world.host(host).read(['cat', '/var/log/nginx/access.log'])
    return log.split('\n').filter((line) => line.includes(` ${path} HTTP/1.1`)).length
  }
  return Promise.all(workers.map(count))
}

/**
 * Waits until a request that came later is in the logs. The operator takes requests in the order of their changes and a web server writes
 * one line after another, so a wrong second delivery would be there by then.
 */
async function settle(): Promise<void> {
  const path = `/settle-${crypto.randomUUID()}`
  await requests.send(path.slice(1), webGet(workers, path))
  await eventually(`${path} is logged`, async () => (await logged(path)).every((count) => count === 1))
}

test('each generation reaches each host exactly once; labels, status and an operator restart send nothing', async () => {
  const first = await requests.send('once', webGet(workers, '/once'))
  expect(first.status).toMatchObject({ state: 'SUCCESS', progress: '2/2', observedGeneration: 1 })
  await settle()
  expect(await logged('/once')).toEqual([1, 1])

  await requests.patch('once', { metadata: { labels: { touched: 'yes' } } })
  await settle()
  expect(await logged('/once')).toEqual([1, 1])

  await requests.patch('once', { status: { msg: 'edited' } }, 'status')
  await settle()
  expect(await logged('/once')).toEqual([1, 1])

  await world.stopOperator()
  await world.startOperator()
  await settle()
  expect(await logged('/once')).toEqual([1, 1])
  expect((await requests.get('once')).status?.msg).toBe('edited')

  const second = await requests.send('once', { ...webGet(workers, '/once'), timeoutSeconds: 11 })
  expect(second.status).toMatchObject({ state: 'SUCCESS', observedGeneration: 2 })
  await settle()
  expect(await logged('/once')).toEqual([2, 2])
})

function webPost(path: string): SpecInput {
  const spec = webGet(workers, path)
  return { ...spec, http: { ...spec.http, method: 'POST' }, timeoutSeconds: 60 }
}

test('a run whose end was not written is ended by the next operator from its record, without sending', async () => {
  await requests.send('before-kill', webPost('/killed'))
  await settle()
  expect(await logged('/killed')).toEqual([1, 1])
  await world.stopOperator('SIGKILL')
  await requests.patch('before-kill', { status: { state: 'RUNNING' } }, 'status')
  await world.startOperator()
  await eventually('it is ended', async () => (await requests.get('before-kill')).status?.state === 'SUCCESS')
  await settle()
  expect(await logged('/killed')).toEqual([1, 1])
})

/** A request has come to the host's web server, which has not read it yet. */
async function hasUnread(host: string): Promise<boolean> {
  const sockets = await world.host(host).read(['cat', '/proc/net/tcp'])
  // Port 8080, established, bytes in the receive queue.
  return /:1F90 [0-9A-F:]+ 01 [0-9A-F]{8}:(?!00000000)/.test(sockets)
}

test('a POST under way when its operator is killed is unknown to the next one, and is not sent again', async () => {
  const signal = async (name: string) => {
    for (const host of workers)
      await world.host(host).read(['systemctl', 'kill', `--signal=${name}`, '--kill-whom=all', 'nginx.service'])
  }
  await signal('STOP')
  try {
    await requests.apply('in-flight', webPost('/in-flight'))
    await eventually('both have it', async () => (await Promise.all(workers.map(hasUnread))).every(Boolean))
    expect((await requests.get('in-flight')).status).toMatchObject({ state: 'RUNNING', run: { claim: '0-1' } })
    await world.stopOperator('SIGKILL')
  } finally {
    await signal('CONT')
  }
  await eventually('both act on it', async () => (await logged('/in-flight')).every((count) => count === 1))
  await world.startOperator()
  const { status } = await requests.finished('in-flight', 1)
  expect(status).toMatchObject({
    ...{ state: 'ERROR', counts: { targets: 2, succeeded: 0, failed: 0, unknown: 2, skipped: 0 } },
    failures: workers.map((host) => ({ host, reason: 'Interrupted' })),
  })
  await settle()
  expect(await logged('/in-flight')).toEqual([1, 1])
})

test('an answer of 500 is an ERROR with the name of the host and the code', async () => {
  const { status } = await requests.send('broken', webGet(workers, '/broken'))
  expect(status).toMatchObject({
    state: 'ERROR',
    progress: '0/2',
    msg: '0/2 hosts answered; failed: worker-1, worker-2 (HTTP 500)',
    failures: [
      { host: 'worker-1', reason: 'HTTPStatus', code: 500 },
      { host: 'worker-2', reason: 'HTTPStatus', code: 500 },
    ],
  })
  const condition = (type: string) => status?.conditions.find((found) => found.type === type)?.status
  expect(['Ready', 'Reconciling', 'Stalled', 'Finished'].map(condition)).toEqual(['False', 'False', 'True', 'True'])
})

test('a code that is named a success is one', async () => {
  const spec = webGet(workers, '/broken')
  const { status } = await requests.send('teapot', { ...spec, http: { ...spec.http, successCodes: ['500'] } })
  expect(status?.state).toBe('SUCCESS')
})

test('GET bears its parameters in the query, POST as JSON', async () => {
  const { http, workers: hosts } = webGet(workers, '/query')
  const parameters = [
    { key: 'name', value: 'a b' },
    { key: 'empty', value: '' },
  ]
  await requests.send('query', { workers: hosts, http: { ...http, parameters } })
  await settle()
  expect(await logged('/query?name=a+b&empty=')).toEqual([1, 1])
})
