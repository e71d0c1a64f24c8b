import { getEventListeners } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KubeClient } from './client.ts'
import type { ClientConfiguration } from './configuration.ts'
import {
  AlreadyExistsError,
  BadRequestError,
  ConflictError,
  ConnectionError,
  ExpiredError,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  UnauthorizedError,
} from './errors.ts'
import { kinds } from './kinds.ts'
import { loadKubeconfig } from './kubeconfig.ts'
import { InterruptedClient } from './testing/interrupted-client.ts'
import { ConfigMap, CustomResourceDefinition, Secret, Widget, widgetDefinition } from './testing/kinds.ts'
import { TcpRelay } from './testing/tcp-relay.ts'

const namespace = 'default'
let cluster: ControlPlane
let admin: ClientConfiguration
let client: KubeClient

beforeAll(async () => {
  cluster = await ControlPlane.start({
    controllerManager: false,
    // With snapshots in its cache a server may still serve pages of a state that etcd has forgotten; 1.30 to 1.33 have none, nor does one just started.
    apiServerFlags: ['--feature-gates=ListFromCacheSnapshot=false'],
  })
  admin = await loadKubeconfig(cluster.adminKubeconfig)
  client = await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'kube-test' })
  await client.create(CustomResourceDefinition, widgetDefinition)
  await eventually('the test kind is established', async () => {
    const { status } = await client.get(CustomResourceDefinition, widgetDefinition.metadata)
    return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')
  })
})

afterAll(async () => {
  await client?.close()
  await cluster?.[Symbol.asyncDispose]()
})

/** A client whose traffic passes the relay. */
function through(relay: TcpRelay, options: { requestTimeoutMs?: number } = {}): KubeClient {
  return new KubeClient({ ...admin, ...options, server: relay.url, fieldManager: 'kube-test' })
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('the request was accepted'),
    (error: unknown) => error as Error,
  )
}

function widget(name: string, size = 1) {
  return { metadata: { name, namespace }, spec: { size } }
}

describe('answers that are errors', () => {
  test('401 for a token that nobody issued, without the token', async () => {
    await using stranger = new KubeClient({ ...admin, credentials: { token: 'n0b0dy' }, fieldManager: 'x' })
    const error = await failureOf(stranger.list(ConfigMap))
    expect(error).toBeInstanceOf(UnauthorizedError)
    expect(error).toMatchObject({ code: 'Unauthorized', status: 401, retryable: false })
    expect(error.stack).not.toContain('n0b0dy')
  })

  test('403 for what a service account may not do, naming it', async () => {
    await using account = await KubeClient.fromKubeconfig(await cluster.serviceAccountKubeconfig(namespace, 'nobody'))
    const error = await failureOf(account.get(kinds.Node, { name: 'a' }))
    expect(error).toBeInstanceOf(ForbiddenError)
    expect(error).toMatchObject({ code: 'Forbidden', status: 403, reason: 'Forbidden' })
    expect(error.message).toContain('GET /api/v1/nodes/a: 403')
    expect(error.message).toContain('system:serviceaccount:default:nobody')
  })

  test('404, and 409 for what is there already', async () => {
    expect(await failureOf(client.get(Widget, { name: 'absent', namespace }))).toBeInstanceOf(NotFoundError)
    await client.create(Widget, widget('twice'))
    const error = await failureOf(client.create(Widget, widget('twice')))
    expect(error).toBeInstanceOf(AlreadyExistsError)
    expect(error).toMatchObject({ code: 'AlreadyExists', status: 409, retryable: false })
  })

  test('422 names every field', async () => {
    const bad = { metadata: { name: 'bad', namespace }, spec: { size: 11, parts: ['far too long'] } }
    const error = await failureOf(client.create(Widget, bad))
    expect(error).toBeInstanceOf(InvalidError)
    expect(error).toMatchObject({ code: 'Invalid', status: 422, retryable: false })
    expect((error as InvalidError).causes.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['spec.parts[0]', 'spec.size']),
    )
  })

  test('410 for a page of a list whose state was compacted away', async () => {
    for (const name of ['p1', 'p2', 'p3']) await client.create(Widget, widget(name))
    const page = await client.listPage(Widget, { limit: 1 })
    await client.delete(Widget, { name: 'p1', namespace })
    await cluster.compact()
    const error = await failureOf(client.listPage(Widget, { limit: 1, continueToken: page.continueToken }))
    expect(error).toBeInstanceOf(ExpiredError)
    expect(error).toMatchObject({ code: 'Expired', status: 410 })
  })

  test("a field that the schema lacks is the caller's mistake, though apply answers 500", async () => {
    const typo = { metadata: { name: 'typo', namespace }, spec: { size: 1, sise: 2 } }
    const error = await failureOf(client.apply(Widget, typo))
    expect(error).toBeInstanceOf(InvalidError)
    expect(error).toMatchObject({ code: 'Invalid', status: 500, retryable: false })
    expect(error.message).toContain('.spec.sise')
  })

  test('what is too big for etcd is not tried again', async () => {
    const data = { big: 'x'.repeat(1_700_000) }
    const error = await failureOf(
      client.create(Widget, { ...widget('big'), metadata: { name: 'big', namespace, annotations: data } }),
    )
    expect(error).toMatchObject({ retryable: false })
    const tooLarge = await failureOf(
      client.create(ConfigMap, { metadata: { name: 'big', namespace }, data: { big: 'x'.repeat(3_200_000) } }),
    )
    expect(tooLarge).toMatchObject({ code: 'RequestTooLarge', status: 413, retryable: false })
  })

  test('nothing that the server says about the content of a Secret gets into an error', async () => {
    const data = { password: 'hunter2!' as unknown as string }
    const writes = [
      client.create(Secret, { metadata: { name: 's', namespace }, data }),
      client.apply(Secret, {
        metadata: { name: 's', namespace },
        data: { password: { hunter2: 1 } as unknown as string },
      }),
    ]
    for (const error of await Promise.all(writes.map(failureOf))) {
      expect(error).toMatchObject({ retryable: false })
      expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('hunter2')
      expect(error.message).toContain('withheld')
    }
    await client.create(Secret, { metadata: { name: 's', namespace }, data: { password: 'aHVudGVyMg==' } })
    expect(await client.get(Secret, { name: 's', namespace })).toMatchObject({ data: { password: 'aHVudGVyMg==' } })
  })
})

describe('connections', () => {
  test('200 requests one after the other use two connections at most, 200 at once 32', async () => {
    await using relay = await TcpRelay.start(cluster.server)
    await using counted = through(relay)
    for (let index = 0; index < 200; index++) await counted.listPage(Widget, { limit: 1 })
    expect(relay.accepted).toBeLessThanOrEqual(2)
    await Promise.all(Array.from({ length: 200 }, () => counted.listPage(Widget, { limit: 1 })))
    expect(relay.accepted).toBeLessThanOrEqual(32)
  })

  test('open watches, more than the pool has connections, keep no request waiting', async () => {
    await using relay = await TcpRelay.start(cluster.server)
    await using watching = through(relay)
    const { resourceVersion } = await watching.list(Widget)
    const stop = new AbortController()
    const options = { resourceVersion, timeoutSeconds: 300 }
    await Promise.all(Array.from({ length: 40 }, () => watching.watch(Widget, options, stop.signal)))
    expect(relay.open).toBe(41)
    await watching.list(Widget, {}, AbortSignal.timeout(5_000))
    expect(relay.open).toBe(41)
    stop.abort()
    await eventually('the aborted watches are closed', () => relay.open === 1)
  })

  test('requests that share a signal leave nothing behind on it', async () => {
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 20 }, () => client.listPage(Widget, { limit: 1 }, signal)))
    await failureOf(client.get(Widget, { name: 'absent', namespace }, signal))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('an abort ends a request with its own reason, a server that says nothing with DeadlineExceeded', async () => {
    await using relay = await TcpRelay.start(cluster.server)
    await using patient = through(relay)
    await using hasty = through(relay, { requestTimeoutMs: 300 })
    relay.hold()
    const reason = new Error('no longer wanted')
    const stop = new AbortController()
    const aborted = failureOf(patient.list(Widget, {}, stop.signal))
    const timedOut = failureOf(hasty.list(Widget))
    stop.abort(reason)
    expect(await Promise.race([aborted, timedOut])).toBe(reason)
    await expect(patient.list(Widget, {}, stop.signal)).rejects.toBe(reason)
    const error = await timedOut
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ code: 'DeadlineExceeded', status: 0, retryable: true })
    expect(error.message).toContain('no complete answer within 300 ms')
    relay.release()
  })

  test('nobody at the other end, and somebody with another certificate', async () => {
    const relay = await TcpRelay.start(cluster.server)
    await using alone = through(relay)
    await relay[Symbol.asyncDispose]()
    expect(await failureOf(alone.list(Widget))).toMatchObject({ code: 'ConnectionFailed', reason: 'ECONNREFUSED' })
    const { ca: _, ...untrusting } = admin
    await using deceived = new KubeClient({ ...untrusting, fieldManager: 'x' })
    expect(await failureOf(deceived.list(Widget))).toMatchObject({
      code: 'ConnectionFailed',
      reason: /CERT|ISSUER|SIGNED/,
    })
  })

  test('a connection that was cut is replaced', async () => {
    await using relay = await TcpRelay.start(cluster.server)
    await using cutOff = through(relay)
    await cutOff.list(Widget)
    relay.cut()
    await eventually('the client is through again', () => cutOff.list(Widget).then(() => true))
    expect(relay.accepted).toBeGreaterThan(1)
  })

  test('a token file is read anew', async () => {
    const { credentials } = await loadKubeconfig(await cluster.serviceAccountKubeconfig(namespace, 'rotating'))
    const tokenFile = join(cluster.directory, 'rotating.token')
    await writeFile(tokenFile, 'out-of-date\n')
    await using rotating = new KubeClient({ ...admin, credentials: { tokenFile }, fieldManager: 'x' })
    expect(await failureOf(rotating.list(Widget))).toBeInstanceOf(UnauthorizedError)
    await writeFile(tokenFile, `${credentials.token}\n`)
    expect(await failureOf(rotating.list(Widget))).toBeInstanceOf(ForbiddenError)
    await writeFile(tokenFile, 'two words')
    const error = await failureOf(rotating.list(Widget))
    expect(error).toMatchObject({ code: 'TokenRefused' })
    expect(error.message).not.toContain('two words')
  })

  test('only https servers are taken', () => {
    for (const server of ['http://127.0.0.1:8080', '127.0.0.1:6443', 'https://user:pass@a', '']) {
      expect(() => new KubeClient({ ...admin, server, fieldManager: 'x' })).toThrow('server: must be https')
    }
  })
})

describe('names', () => {
  test('what could not be a name is refused before anything is sent', async () => {
    await using relay = await TcpRelay.start(cluster.server)
    await using refusing = through(relay)
    for (const name of ['', '.', '..', 'a/b', 'a%2fb', '../../nodes/x', 'a b', 'ä', 'a\n', 'x'.repeat(254), '\uD800']) {
      expect(await failureOf(refusing.get(Widget, { name, namespace }))).toMatchObject({ code: 'NameRefused' })
      expect(await failureOf(refusing.list(Widget, { namespace: name }))).toMatchObject({ code: 'NameRefused' })
    }
    expect(await failureOf(refusing.get(Widget, { name: 'a' }))).toMatchObject({ code: 'NameRefused' })
    expect(await failureOf(refusing.get(kinds.Node, { name: 'a', namespace }))).toMatchObject({ code: 'NameRefused' })
    expect(relay.accepted).toBe(0)
  })

  test('unusual ones arrive as they are', async () => {
    const error = await failureOf(client.get(kinds.Node, { name: 'system:node?x=1#y&z=A' }))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error.message).toContain('"system:node?x=1#y&z=A" not found')
  })
})

describe('writes', () => {
  test('name their field manager and their client', async () => {
    const { metadata } = await client.create(Widget, widget('owned'))
    expect(metadata.managedFields).toMatchObject([{ manager: 'kube-test', operation: 'Update' }])
    await eventually('the audit log has the request', async () =>
      (await readFile(cluster.auditLog, 'utf8'))
        .split('\n')
        .some(
          (line) =>
            line.includes('"verb":"create"') && line.includes('widgets') && line.includes('"userAgent":"kube-test"'),
        ),
    )
  })

  test('server-side apply: conflicts name field and owner, force takes over, what is left out goes away', async () => {
    await using other = new KubeClient({ ...admin, fieldManager: 'other' })
    await client.apply(Widget, { metadata: { name: 'shared', namespace }, spec: { size: 1, parts: ['a'] } })
    const error = await failureOf(other.apply(Widget, widget('shared', 2)))
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ causes: [{ reason: 'FieldManagerConflict', field: '.spec.size' }] })
    expect((error as ConflictError).causes[0]?.message).toContain('kube-test')
    expect(await other.apply(Widget, widget('shared', 2), { force: true })).toMatchObject({
      spec: { size: 2, parts: ['a'] },
    })
    const mine = { metadata: { name: 'shared', namespace } } as const
    expect((await client.apply(Widget, mine)).spec).toEqual({ size: 2 })
  })

  test('apply to the status subresource leaves the rest alone', async () => {
    await client.create(Widget, widget('applied-status', 3))
    const draft = { ...widget('applied-status', 9), status: { phase: 'Done' } }
    const applied = await client.apply(
      Widget,
      { metadata: draft.metadata, status: draft.status },
      { subresource: 'status' },
    )
    expect(applied).toMatchObject({ spec: { size: 3 }, status: { phase: 'Done' } })
  })

  test('updateStatus replaces the status only, of this version and this object only', async () => {
    const created = await client.create(Widget, {
      ...widget('claimed', 3),
      metadata: { name: 'claimed', namespace, labels: { keep: 'me' } },
    })
    const claimed = await client.updateStatus(Widget, { ...created, status: { phase: 'Claimed' } })
    expect(claimed).toMatchObject({
      metadata: { labels: { keep: 'me' } },
      spec: { size: 3 },
      status: { phase: 'Claimed' },
    })
    const stale = await failureOf(client.updateStatus(Widget, { ...created, status: { phase: 'Late' } }))
    expect(stale).toBeInstanceOf(ConflictError)
    expect(stale).toMatchObject({ code: 'Conflict', status: 409, retryable: false, causes: [] })
    const another = { ...claimed.metadata, uid: '00000000-0000-0000-0000-000000000000' }
    expect(await failureOf(client.updateStatus(Widget, { ...claimed, metadata: another }))).toBeInstanceOf(
      ConflictError,
    )
    const { resourceVersion: _, ...unversioned } = claimed.metadata
    expect(await failureOf(client.updateStatus(Widget, { ...claimed, metadata: unversioned }))).toMatchObject({
      code: 'VersionMissing',
    })
    expect((await client.get(Widget, { name: 'claimed', namespace })).status).toEqual({ phase: 'Claimed' })
  })

  test('updateStatus of a built-in kind keeps its labels', async () => {
    const node = await client.create(kinds.Node, { metadata: { name: 'n1', labels: { role: 'worker' } } })
    const addresses = [{ type: 'InternalIP', address: '10.0.0.1' }]
    await client.updateStatus(kinds.Node, { ...node, status: { addresses } })
    expect(await client.get(kinds.Node, { name: 'n1' })).toMatchObject({
      metadata: { labels: { role: 'worker' } },
      status: { addresses },
    })
  })

  test('update, patch, dry run and delete with preconditions', async () => {
    const created = await client.create(Widget, widget('written', 1))
    const updated = await client.update(Widget, { ...created, spec: { size: 2 } })
    expect(await failureOf(client.update(Widget, { ...created, spec: { size: 5 } }))).toBeInstanceOf(ConflictError)
    await client.update(Widget, { ...updated, spec: { size: 7 } }, { dryRun: true })
    await client.patch(Widget, updated.metadata, { spec: { size: 8 } }, { dryRun: true })
    await client.delete(Widget, updated.metadata, { dryRun: true })
    expect((await client.get(Widget, updated.metadata)).spec).toEqual({ size: 2 })
    expect((await client.patch(Widget, updated.metadata, { spec: { parts: ['b'] } })).spec).toEqual({
      size: 2,
      parts: ['b'],
    })
    expect((await client.patch(Widget, updated.metadata, { spec: { parts: null } })).spec).toEqual({ size: 2 })
    const uid = '00000000-0000-0000-0000-000000000000'
    expect(await failureOf(client.delete(Widget, updated.metadata, { preconditions: { uid } }))).toBeInstanceOf(
      ConflictError,
    )
    const preconditions = { uid: created.metadata.uid }
    await client.delete(Widget, updated.metadata, { preconditions, propagation: 'Background' })
    expect(await failureOf(client.get(Widget, updated.metadata))).toBeInstanceOf(NotFoundError)
    const list = await failureOf(client.list(Widget, { fieldSelector: 'spec.none=1' }))
    expect(list).toBeInstanceOf(BadRequestError)
  })
})

describe('a list of 1,200 objects', () => {
  const labelSelector = 'many=yes'
  beforeAll(async () => {
    const numbers = Array.from({ length: 1_200 }, (_, index) => index)
    await Promise.all(
      numbers.map((number) =>
        client.create(ConfigMap, { metadata: { name: `many-${number}`, namespace, labels: { many: 'yes' } } }),
      ),
    )
  })

  test('comes in three pages of one state', async () => {
    const { items, resourceVersion } = await client.list(ConfigMap, { namespace, labelSelector })
    expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(1_200)
    expect(items.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap')).toBe(true)
    expect(resourceVersion).toMatch(/^\d+$/)
    const pages = await eventually('the audit log has the pages', async () => {
      const log = (await readFile(cluster.auditLog, 'utf8')).split('\n')
      const lists = log.filter((line) => line.includes('limit=500') && line.includes('many%3Dyes'))
      return lists.length >= 3 && lists
    })
    expect(pages).toHaveLength(3)
  })

  test('begins again when its state is compacted away between two pages', async () => {
    await using interrupted = new InterruptedClient({ ...admin, fieldManager: 'x' }, async () => {
      await client.delete(ConfigMap, { name: 'many-1199', namespace })
      await cluster.compact()
    })
    // The first page was read when it was still there.
    expect((await interrupted.list(ConfigMap, { namespace, labelSelector })).items).toHaveLength(1_199)
    await using given = new InterruptedClient({ ...admin, fieldManager: 'x' }, async () => {
      await client.delete(ConfigMap, { name: 'many-1198', namespace })
      await cluster.compact()
    })
    expect(await failureOf(given.listOnce(ConfigMap, { namespace, labelSelector }))).toBeInstanceOf(ExpiredError)
  })
})
