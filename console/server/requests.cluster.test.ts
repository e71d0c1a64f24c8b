import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { targetListDigest, targetListKey, type HostRequest } from '@keelson/api'
import { ConflictError, defineKind, type KubernetesObject } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostHistory } from '../protocol/hosts.ts'
import { hostRequestKind } from './service/kinds.ts'
import type { Browser } from './testing/browser.fixture.ts'
import { bodyOf, LiveWorld } from './testing/live-world.fixture.ts'
import { specOf, statusOf } from './testing/objects.ts'

let world: LiveWorld
let admin: Browser
let viewer: Browser
let count = 0

const ConfigMap = defineKind<KubernetesObject & { readonly binaryData?: Record<string, string> }>({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
})

beforeAll(async () => {
  world = await LiveWorld.start()
  for (const namespace of ['red', 'blue']) await world.cluster.kubectl('create', 'namespace', namespace)
  for (const name of ['node1', 'node2', 'node3']) await world.host(name, '', { zone: name === 'node3' ? 'b' : 'a' })
  admin = await world.console.signedIn('admin')
  viewer = await world.person('viewer', 'keelson-viewer')
  await world.cluster.kubectl('create', 'role', 'targets', '--namespace=red', '--verb=get', '--resource=configmaps')
  await mayReadConfigMaps('admin')
}, 120_000)

afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
})

async function mayReadConfigMaps(account: string): Promise<void> {
  const what = ['--role=targets', `--serviceaccount=keelson-users:${account}`, '--namespace=red']
  await world.cluster.kubectl('create', 'rolebinding', `targets-${account}`, ...what)
}

function newName(): string {
  return `request-${++count}`
}

async function made(sketch: Parameters<LiveWorld['request']>[2] = {}): Promise<string> {
  const name = newName()
  await world.request('red', name, sketch)
  return name
}

/** One that has ended, with these numbers of its targets for each outcome. */
async function ended(
  targets: readonly string[],
  sets: Partial<Record<'succeeded' | 'failed' | 'unknown' | 'skipped', string>>,
  sketch: Parameters<LiveWorld['request']>[2] = {},
): Promise<string> {
  const name = await made(sketch)
  await world.report('red', name, statusOf(targets, { succeeded: '', state: 'ERROR', ...sets }))
  return name
}

async function read(name: string): Promise<HostRequest> {
  return world.cluster.root.get(hostRequestKind, { namespace: 'red', name })
}

const path = (name: string, verb = '') => `/api/requests/red/${name}${verb === '' ? '' : `/${verb}`}`

describe('who asks', () => {
  test('is told what Kubernetes lets them do', async () => {
    await made()
    const writer = await world.person('writer', 'keelson-operator', ['red'])
    const nobody = await world.person('nobody')
    const nothing = { listHosts: false, listRequests: [], writeRequests: [], manageAccess: false, readAudit: false }
    const permissions = async (browser: Browser, query = '') => bodyOf(await browser.get(`/api/permissions${query}`))
    await eventually('the console has seen the namespace', () => world.store.requestNamespaces().length > 0)
    expect(await permissions(admin)).toEqual({
      ...{ listHosts: true, listRequests: 'All', writeRequests: 'All', manageAccess: true, readAudit: true },
    })
    expect(await permissions(viewer)).toEqual({ ...nothing, listHosts: true, listRequests: 'All' })
    expect(await permissions(writer)).toEqual({ ...nothing, listRequests: ['red'], writeRequests: ['red'] })
    expect(await permissions(nobody)).toEqual(nothing)
    const blue = await world.person('blue-only', 'keelson-viewer', ['blue'])
    // Nothing is in there yet, so it has to be named.
    expect(await permissions(blue)).toEqual(nothing)
    expect(await permissions(blue, '?namespace=blue')).toEqual({ ...nothing, listRequests: ['blue'] })
  })

  test('does it under his own name, however many ask at once', async () => {
    const names = ['red-1', 'red-2', 'red-3', 'outside-1', 'outside-2', 'outside-3']
    const browsers = await Promise.all(
      names.map((name) => world.person(name, 'keelson-viewer', [name.startsWith('red') ? 'red' : 'blue'])),
    )
    const name = await made()
    const statuses = await Promise.all(
      Array.from({ length: 10 }, () => browsers.map(async (browser) => (await browser.get(path(name))).status)).flat(),
    )
    expect(statuses).toEqual(Array.from({ length: 10 }, () => [200, 200, 200, 403, 403, 403]).flat())
    const asked = await world.asked()
    for (const person of names) {
      const own = asked.filter((line) => line.startsWith(`${person} get hostrequests red/${name} `))
      expect(own).toEqual(
        Array(10).fill(`${person} get hostrequests red/${name} ${person.startsWith('red') ? 200 : 403}`),
      )
    }
    // The console itself reads no object by name.
    expect(asked.filter((line) => /^keelson-console (get|create hostrequests|update|patch|delete)/.test(line))).toEqual(
      [],
    )
  })

  test('has a token that is made anew when two thirds of its life are over', async () => {
    const browser = await world.person('long', 'keelson-viewer')
    const name = await made()
    const tokens = async () => {
      expect((await browser.get(path(name))).status).toBe(200)
      return (await world.asked()).filter(
        (line) => line === 'keelson-console create serviceaccounts/token keelson-users/long 201',
      ).length
    }
    expect(await tokens()).toBe(1)
    world.clock.pass(399_000)
    expect(await tokens()).toBe(1)
    world.clock.pass(2_000)
    expect(await tokens()).toBe(2)
    expect(await tokens()).toBe(2)
  })

  test('is told clearly that the account is gone, and goes on once it is there again', async () => {
    const browser = await world.person('away', 'keelson-viewer')
    const name = await made()
    expect((await browser.get(path(name))).status).toBe(200)
    await world.cluster.kubectl('delete', 'serviceaccount', 'away', '--namespace=keelson-users')
    // The server remembers a token that it has seen for ten seconds.
    const refused = await eventually(
      'it is refused',
      async () => {
        const answer = await browser.get(path(name))
        return answer.status === 403 ? answer.body : undefined
      },
      20_000,
      500,
    )
    expect(refused).toMatchObject({ code: 'AccountMissing', message: expect.stringContaining('ServiceAccount away') })
    await world.cluster.kubectl('create', 'serviceaccount', 'away', '--namespace=keelson-users')
    expect((await browser.get(path(name))).status).toBe(200)
  })
})

describe('a request', () => {
  test('is checked without being made, and made', async () => {
    const name = newName()
    const body = { namespace: 'red', name, spec: specOf({ workers: ['node1'] }) }
    const checked = bodyOf(await admin.post('/api/requests?check=true', body))
    expect(checked).toMatchObject({ metadata: { name }, spec: { parallelism: 64 } })
    expect((await admin.get(path(name))).status).toBe(404)
    expect(bodyOf(await admin.post('/api/requests', body))).toMatchObject({ metadata: { name, namespace: 'red' } })
    expect(bodyOf(await viewer.get(path(name)))).toMatchObject({ metadata: { name }, spec: body.spec })
    expect(await world.asked()).toContain(`admin create hostrequests red/${name} 201`)
  })

  test('is refused by Kubernetes with its own words: rights, names and grammar', async () => {
    const body = { namespace: 'red', name: await made(), spec: specOf({ workers: ['node1'] }) }
    expect(await viewer.post('/api/requests', body)).toMatchObject({
      status: 403,
      body: {
        code: 'Forbidden',
        message: expect.stringContaining('User "system:serviceaccount:keelson-users:viewer" cannot create resource'),
        kubernetes: { status: 403, reason: 'Forbidden' },
      },
    })
    expect(await admin.post('/api/requests', body)).toMatchObject({
      status: 409,
      body: { code: 'AlreadyExists', kubernetes: { status: 409, reason: 'AlreadyExists' } },
    })
    const http = { port: 8080, api: '/a', method: 'POST', parameters: [{ key: 'a', value: '$(b)' }] } as const
    expect(
      await admin.post('/api/requests?check=true', {
        ...body,
        name: newName(),
        spec: specOf({ http: { ...http, parameters: [...http.parameters] } }),
      }),
    ).toMatchObject({
      status: 422,
      body: {
        code: 'Invalid',
        causes: [{ field: expect.stringContaining('spec.http'), message: expect.any(String) }],
        kubernetes: { status: 422, reason: 'Invalid' },
      },
    })
    expect(await viewer.send('DELETE', path(body.name))).toMatchObject({ status: 403 })
    expect((await admin.send('DELETE', path(body.name))).status).toBe(204)
    expect(await admin.send('DELETE', path(body.name))).toMatchObject({
      status: 404,
      body: { code: 'NotFound', kubernetes: { status: 404, reason: 'NotFound' } },
    })
  })

  test('is sent, paused and resumed, each with the version that was seen or with any', async () => {
    const name = await made({ dryRun: true })
    const { resourceVersion } = (await read(name)).metadata
    expect(bodyOf(await admin.post(path(name, 'send'), { resourceVersion }))).toMatchObject({ spec: { dryRun: false } })
    expect(await admin.post(path(name, 'pause'), { resourceVersion })).toMatchObject({
      status: 409,
      body: { code: 'Conflict', kubernetes: { status: 409, reason: 'Conflict' } },
    })
    expect((await read(name)).spec.suspend).toBe(false)
    expect(bodyOf(await admin.post(path(name, 'pause'), {}))).toMatchObject({ spec: { suspend: true } })
    expect(bodyOf(await admin.post(path(name, 'resume'), {}))).toMatchObject({
      spec: { suspend: false, onFailure: 'Stop', maxFailures: '100%' },
    })
    expect(await viewer.post(path(name, 'pause'), {})).toMatchObject({
      status: 403,
      body: { kubernetes: { status: 403 } },
    })
  })

  test('that waits after a failure goes on with the next wave, or with more failures', async () => {
    const waiting = async (reason: string) => {
      const name = await made({ onFailure: 'Pause', maxFailures: 1 })
      const condition = {
        type: 'Stalled',
        status: 'True',
        reason,
        message: '',
        lastTransitionTime: '2026-01-02T12:00:00Z',
      } as const
      await world.report('red', name, statusOf(['node1'], { state: 'PAUSED', conditions: [condition] }))
      await admin.post(path(name, 'resume'), {})
      const { onFailure, maxFailures } = (await read(name)).spec
      return [onFailure, maxFailures]
    }
    expect(await waiting('WaveFailed')).toEqual(['Continue', 1])
    expect(await waiting('TooManyFailures')).toEqual(['Continue', '100%'])
    expect(await waiting('PolicyMissing')).toEqual(['Pause', 1])
  })

  test('is aborted under way alone, and runs again with the deadline that it had', async () => {
    const name = await made({ activeDeadlineSeconds: 77, suspend: true })
    expect(await admin.post(path(name, 'abort'), {})).toMatchObject({ status: 409, body: { code: 'NotBegun' } })
    const running = statusOf(['node1'], { state: 'RUNNING', conditions: [] })
    await world.report('red', name, running)
    expect(await admin.post(path(name, 'run'), {})).toMatchObject({ status: 409, body: { code: 'RunNotFinished' } })
    expect(bodyOf(await admin.post(path(name, 'abort'), {}))).toMatchObject({
      spec: { activeDeadlineSeconds: 1, suspend: false },
    })
    await world.report('red', name, running)
    expect((await admin.post(path(name, 'abort'), {})).status).toBe(200)
    await world.report('red', name, statusOf(['node1'], { state: 'ERROR' }))
    for (const verb of ['abort', 'pause'])
      expect(await admin.post(path(name, verb), {})).toMatchObject({ status: 409, body: { code: 'RunFinished' } })
    const before = await read(name)
    const again = bodyOf(await admin.post(path(name, 'run'), {})) as HostRequest
    expect(again.spec).toMatchObject({ activeDeadlineSeconds: 77, suspend: false })
    expect(again.spec.runToken).not.toBe(before.spec.runToken)
    expect(again.metadata.generation).toBe(before.metadata.generation! + 1)
    expect(again.metadata.annotations ?? {}).toEqual({})
  })

  test('is steered while its status is written all the time', async () => {
    const name = await made()
    const over = new AbortController()
    const writer = (async () => {
      for (let number = 0; !over.signal.aborted; number++) {
        const status = statusOf(['node1'], { state: 'RUNNING', conditions: [], msg: `${number}` })
        await world.report('red', name, status).catch((error: unknown) => {
          if (!(error instanceof ConflictError)) throw error
        })
        await wait(50)
      }
    })()
    try {
      for (const verb of ['pause', 'resume', 'pause']) expect((await admin.post(path(name, verb), {})).status).toBe(200)
    } finally {
      over.abort()
      await writer
    }
    expect((await read(name)).spec.suspend).toBe(true)
  })
})

describe('retry', () => {
  test('makes a request for the hosts that failed, and for the unknown ones if asked', async () => {
    const http = { parameters: [{ key: 'a', value: 'b' }] }
    const sets = { succeeded: '0', failed: '1', unknown: '2' }
    const name = await ended(['node1', 'node2', 'node3'], sets, {
      http,
      hostSelector: { matchLabels: { zone: 'a' } },
      parallelism: 3,
    })
    const again = newName()
    const first = bodyOf(await admin.post(path(name, 'retry'), { name: again })) as HostRequest
    expect(first.spec).toEqual({ ...specOf({ workers: ['node2'], http, parallelism: 3 }) })
    expect(first.metadata.annotations).toEqual({ 'keelson.dev/retry-of': name })
    const both = bodyOf(await admin.post(path(name, 'retry'), { name: newName(), includeUnknown: true })) as HostRequest
    expect(both.spec.workers).toEqual([{ name: 'node2' }, { name: 'node3' }])
    expect(await admin.post(path(name, 'retry'), { name: again })).toMatchObject({
      status: 409,
      body: { code: 'AlreadyExists' },
    })
    expect(await viewer.post(path(name, 'retry'), { name: newName() })).toMatchObject({ status: 403 })
    const entries = await world.console.audit.list({}, { limit: 10 })
    const about = entries.filter(({ object }) => object === `hostrequests/red/${again}`)
    expect(about.at(-1)).toMatchObject({
      ...{ actor: 'admin', action: 'retryFailed', outcome: 'Succeeded' },
      detail: JSON.stringify({ retryOf: name, includeUnknown: false, hosts: 1 }),
    })
  })

  test('is refused where nobody failed, where the run goes on and where there are too many', async () => {
    const well = await ended(['node1'], { succeeded: '0' })
    expect(await admin.post(path(well, 'retry'), { name: newName() })).toMatchObject({
      status: 422,
      body: { code: 'NothingToRetry' },
    })
    const going = await made()
    expect(await admin.post(path(going, 'retry'), { name: newName() })).toMatchObject({
      status: 409,
      body: { code: 'RunNotFinished' },
    })
    const { name } = await large(1_025, { failed: '0-1024' })
    expect(await admin.post(path(name, 'retry'), { name: newName() })).toMatchObject({
      status: 422,
      body: { code: 'TooManyToRetry' },
    })
  })
})

/** A run whose targets are in a ConfigMap. */
async function large(size: number, sets: Parameters<typeof ended>[1] = {}): Promise<{ name: string; names: string[] }> {
  const names = Array.from({ length: size }, (_, index) => `target-${index}`).toSorted()
  const name = await made()
  const configMap = `keelson-targets-${name}`
  const binaryData = { [targetListKey]: gzipSync(JSON.stringify(names)).toString('base64') }
  await world.cluster.root.create(ConfigMap, { metadata: { namespace: 'red', name: configMap }, binaryData })
  const counts = { targets: size, succeeded: 0, failed: size, unknown: 0, skipped: 0 }
  const targets = { configMap, digest: await targetListDigest(names) }
  const status = statusOf([], { state: 'ERROR', counts, run: { targets }, ...sets })
  await world.report('red', name, status)
  return { name, names }
}

describe('targets', () => {
  test('come from the status, or from their ConfigMap where whoever asks may read it', async () => {
    const few = await ended(['node1', 'node2'], { succeeded: '0-1' })
    expect(bodyOf(await viewer.get(path(few, 'targets')))).toEqual({ runId: 'run-1', names: ['node1', 'node2'] })
    const { name, names } = await large(30)
    expect(await viewer.get(path(name, 'targets'))).toMatchObject({
      status: 403,
      body: { kubernetes: { status: 403 }, message: expect.stringContaining('cannot get resource "configmaps"') },
    })
    await mayReadConfigMaps('viewer')
    await eventually('the right is known', async () => (await viewer.get(path(name, 'targets'))).status === 200)
    expect(bodyOf(await viewer.get(path(name, 'targets')))).toEqual({ runId: 'run-1', names })
    await world.cluster.root.delete(ConfigMap, { namespace: 'red', name: `keelson-targets-${name}` })
    expect(await viewer.get(path(name, 'targets'))).toMatchObject({ status: 404, body: { code: 'TargetsLost' } })
    const never = await made()
    expect(bodyOf(await viewer.get(path(never, 'targets')))).toEqual({ runId: '', names: [] })
  })

  test('need no ConfigMap as long as they are the hosts that the spec means today', async () => {
    const reader = await world.person('plain', 'keelson-viewer')
    const meant = async (sketch: Parameters<typeof made>[0], names: readonly string[]) => {
      const name = await made(sketch)
      const targets = { configMap: 'not-there', digest: await targetListDigest(names) }
      await world.report('red', name, statusOf([], { run: { targets } }))
      return reader.get(path(name, 'targets'))
    }
    const names = ['node1', 'node2', 'node3']
    expect((await meant({}, names)).body).toEqual({ runId: 'run-1', names })
    const selected = { hostSelector: { matchLabels: { zone: 'a' } } }
    expect((await meant(selected, ['node1', 'node2'])).body).toEqual({ runId: 'run-1', names: ['node1', 'node2'] })
    expect((await meant({ workers: ['b', 'a', 'b'] }, ['a', 'b'])).body).toEqual({ runId: 'run-1', names: ['a', 'b'] })
    expect((await meant({}, ['node1'])).status).toBe(403)
  })
})

describe('a host', () => {
  test('is shown whole to who may get it', async () => {
    expect(bodyOf(await viewer.get('/api/hosts/node1'))).toMatchObject({
      metadata: { name: 'node1', labels: { zone: 'a' } },
      status: { role: 'Worker' },
    })
    const outsider = await world.person('outsider', 'keelson-viewer', ['red'])
    expect(await outsider.get('/api/hosts/node1')).toMatchObject({ status: 403, body: { kubernetes: { status: 403 } } })
    expect((await viewer.get('/api/hosts/absent')).status).toBe(404)
  })

  test('has the requests that had it as a target, as far as who asks may see them', async () => {
    await world.host('lone', '', { zone: 'lone' })
    const expected: string[] = []
    for (const [outcome, sets] of [
      ['Succeeded', { succeeded: '0-1' }],
      ['Failed', { failed: '1' }],
      ['Unknown', { unknown: '0-1' }],
      ['Skipped', { succeeded: '0', skipped: '1' }],
      ['Pending', { succeeded: '0' }],
    ] as const) {
      const failures =
        outcome === 'Failed'
          ? [
              { host: 'other', reason: 'A', message: '' },
              { host: 'second', reason: 'Refused', message: '' },
            ]
          : []
      const name = await made()
      await world.report('red', name, statusOf(['first', 'second'], { succeeded: '', ...sets, failures }))
      expected.push(`red/${name} ${outcome} ${outcome === 'Failed' ? 'Refused' : ''}`)
    }
    await world.request('blue', 'hidden')
    await world.report('blue', 'hidden', statusOf(['second']))
    const insider = await world.person('insider', 'keelson-viewer', ['red'])
    const mine = new Set([...expected, 'blue/hidden Succeeded '].map((line) => line.split(' ')[0]))
    const history = async (browser: Browser) => {
      const { requests } = bodyOf(await browser.get('/api/hosts/second/requests')) as HostHistory
      const times = requests.map(({ request }) => request.createdAt)
      expect(times).toEqual(times.toSorted().toReversed())
      return requests
        .map(({ request, outcome, reason }) => `${request.namespace}/${request.name} ${outcome} ${reason}`)
        .filter((line) => mine.has(line.split(' ')[0]))
        .toSorted()
    }
    await eventually('the console has seen all', async () => {
      expect(await history(viewer)).toEqual([...expected, 'blue/hidden Succeeded '].toSorted())
      return true
    })
    expect(await history(insider)).toEqual(expected.toSorted())
    const stranger = await world.person('stranger')
    expect(await stranger.get('/api/hosts/second/requests')).toMatchObject({ status: 403, body: { code: 'Forbidden' } })
  })
})
