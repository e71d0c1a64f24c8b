import { readFile } from 'node:fs/promises'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KubeClient } from './client.ts'
import { EventRecorder, type EventContent, type EventRecorderOptions } from './events.ts'
import { ConfigMap, CustomResourceDefinition, Widget, widgetDefinition } from './testing/kinds.ts'
import { RecordedMetrics } from './testing/recorded-metrics.ts'

const namespace = 'default'
const written = 'events_written_total'
const reportingController = 'keelson.dev/test'
const delivered: EventContent = { type: 'Normal', reason: 'Delivered', action: 'Deliver', note: '3/3 hosts answered' }

/** All that a recorder needs. */
const role = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: events}
rules: [{apiGroups: [events.k8s.io], resources: [events], verbs: [create, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: events}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: events}
subjects: [{kind: ServiceAccount, name: recorder, namespace: ${namespace}}]
`

let cluster: ControlPlane
let admin: KubeClient
let kubeconfig: string

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  admin = await KubeClient.fromKubeconfig(cluster.adminKubeconfig)
  kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'recorder')
  await kubectl(['apply', '-f', '-'], role)
  await admin.create(CustomResourceDefinition, widgetDefinition)
  await eventually('the test kind is established', async () => {
    const { status } = await admin.get(CustomResourceDefinition, widgetDefinition.metadata)
    return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')
  })
})

afterAll(async () => {
  await admin?.close()
  await cluster?.[Symbol.asyncDispose]()
})

async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input })
  expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
  return stdout
}

/** A recorder that runs, as the service account and with a name in the audit log. */
class Recording implements AsyncDisposable {
  readonly recorder: EventRecorder
  readonly metrics = new RecordedMetrics()
  readonly errors: unknown[] = []
  readonly #client: KubeClient
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  constructor(client: KubeClient, options: Partial<EventRecorderOptions>) {
    this.#client = client
    const { metrics } = this
    const onError = (error: unknown) => this.errors.push(error)
    this.recorder = new EventRecorder({ client, reportingController, metrics, onError, ...options })
    this.#ended = this.recorder.run(this.#stop.signal)
  }

  static async start(name: string, options: Partial<EventRecorderOptions> = {}): Promise<Recording> {
    const client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: name })
    return new Recording(client, { writesPerSecond: 1_000, seriesIntervalMs: 500, ...options })
  }

  async written(count: number, withinMs = 10_000): Promise<void> {
    await eventually(`${count} writes`, () => this.metrics.get(written) === count, withinMs)
  }

  discarded(reason: string): number {
    return this.metrics.get(`events_discarded_total{reason="${reason}"}`) ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#ended
    await this.#client.close()
  }
}

async function widget(name: string): Promise<Widget> {
  return admin.create(Widget, { metadata: { name, namespace }, spec: { size: 1 } })
}

/** The table below `Events:`, as it is shown for an object. */
async function described(resource: string, name: string): Promise<string[]> {
  const text = await kubectl(['describe', resource, name])
  return text
    .slice(text.indexOf('\nEvents:') + 1)
    .split('\n')
    .filter((line) => line !== '')
}

async function requestsOf(name: string): Promise<string[]> {
  const lines = (await readFile(cluster.auditLog, 'utf8')).split('\n').filter((line) => line !== '')
  const entries = lines.map((line) => JSON.parse(line) as { userAgent: string; verb: string })
  return entries.filter(({ userAgent }) => userAgent === name).map(({ verb }) => verb)
}

describe('events', () => {
  test('are shown by kubectl describe and kubectl get events, also those of a cluster-scoped object', async () => {
    await using recording = await Recording.start('shown')
    const { recorder } = recording
    recorder.record(Widget, await widget('shown'), delivered)
    const definition = await admin.get(CustomResourceDefinition, widgetDefinition.metadata)
    recorder.record(CustomResourceDefinition, definition, { ...delivered, type: 'Warning', reason: 'PolicyMissing' })
    await recording.written(2)
    const [, , , row, ...rest] = await described('widget', 'shown')
    expect(rest).toEqual([])
    expect(row).toMatch(/^ +Normal +Delivered +\S+ +keelson\.dev\/test +3\/3 hosts answered$/)
    expect((await described('crd', definition.metadata.name)).at(-1)).toMatch(/ Warning +PolicyMissing +\S+ +keelson/)
    const table = await kubectl(['get', 'events', '--field-selector', 'reason=Delivered'])
    expect(table).toMatch(/Normal +Delivered +widget\/shown +3\/3 hosts answered/)
    expect(recording.errors).toEqual([])
  })

  test('that are equal become one with a count: 1,000 of them are few writes', async () => {
    await using recording = await Recording.start('equal')
    const object = await widget('equal')
    for (let index = 0; index < 500; index++) recording.recorder.record(Widget, object, delivered)
    await recording.written(1)
    for (let index = 0; index < 500; index++) recording.recorder.record(Widget, object, delivered)
    await recording.written(2)
    expect((await described('widget', 'equal')).at(-1)).toMatch(/Delivered +\S+ \(x1000 over \S+\) /)
    const requests = await eventually('the audit log has the writes', async () => {
      const verbs = await requestsOf('equal')
      return verbs.length >= 2 && verbs
    })
    expect(requests).toEqual(['create', 'patch'])
    const table = await kubectl(['get', 'events', '-o', 'wide', '--field-selector', 'reason=Delivered'])
    expect(table).toMatch(/widget\/equal .* 1000 +equal\./)
  })

  test('are made anew where the API server has forgotten them', async () => {
    await using recording = await Recording.start('expired', { seriesIntervalMs: 50 })
    const object = await widget('expired')
    recording.recorder.record(Widget, object, delivered)
    await recording.written(1)
    await kubectl(['delete', 'events', '--all'])
    recording.recorder.record(Widget, object, delivered)
    await recording.written(2)
    expect((await described('widget', 'expired')).at(-1)).toMatch(
      / \(x2 over \S+\) +keelson\.dev\/test +3\/3 hosts answered$/,
    )
    expect(recording.errors).toEqual([])
  })

  test('begin anew after a while without another one', async () => {
    await using recording = await Recording.start('anew', { seriesIntervalMs: 50, idleMs: 100 })
    const object = await widget('anew')
    // Less often than what is idle is forgotten.
    const another = async () => {
      recording.recorder.record(Widget, object, delivered)
      return (await described('widget', 'anew')).filter((line) => line.includes('Delivered')).length >= 2
    }
    await eventually('another event', another, 10_000, 300)
    expect(recording.errors).toEqual([])
  })

  test('of an object that goes mad are bounded and silence nobody else', async () => {
    await using recording = await Recording.start('mad')
    const [mad, calm] = [await widget('mad'), await widget('calm')]
    for (let index = 0; index < 100; index++) {
      recording.recorder.record(Widget, mad, { ...delivered, note: `host ${index} failed` })
    }
    recording.recorder.record(Widget, calm, delivered)
    await recording.written(26)
    expect(await described('widget', 'mad')).toHaveLength(3 + 25)
    expect((await described('widget', 'calm')).at(-1)).toContain('3/3 hosts answered')
    expect(recording.discarded('flood')).toBe(75)
    for (let index = 0; index < 2_000; index++) {
      recording.recorder.record(Widget, { metadata: { ...calm.metadata, uid: `uid-${index}` } }, delivered)
    }
    expect(recording.discarded('overflow')).toBe(2_000 - (1_024 - 26))
  })

  test('are paced', async () => {
    await using recording = await Recording.start('paced', { writesPerSecond: 10 })
    const [one, other] = [await widget('paced-1'), await widget('paced-2')]
    const start = performance.now()
    for (let index = 0; index < 20; index++) {
      for (const object of [one, other]) recording.recorder.record(Widget, object, { ...delivered, note: `${index}` })
    }
    await recording.written(40, 20_000)
    // 25 at once, the rest at 10 a second.
    expect(performance.now() - start).toBeGreaterThan(1_500)
  })

  test('that the API server refuses are dropped, those that it could not take are tried again', async () => {
    await using recording = await Recording.start('refused')
    const object = await widget('refused')
    const { recorder } = recording
    recorder.record(ConfigMap, { metadata: { name: 'a', namespace: 'absent' } }, delivered)
    recorder.record(Widget, object, { ...delivered, reason: '' })
    await eventually('both are dropped', () => recording.discarded('refused') === 2)
    expect(recording.errors).toMatchObject([
      { code: 'Terminal', cause: { code: 'NotFound' } },
      { code: 'Terminal', cause: { code: 'Invalid' } },
    ])
    await cluster.killApiServer()
    recorder.record(Widget, object, { ...delivered, note: 'while nobody listened' })
    await eventually('a write fails', () => recording.errors.length >= 3)
    await cluster.startApiServer()
    await recording.written(1, 30_000)
    expect((await described('widget', 'refused')).at(-1)).toContain('while nobody listened')
  })

  test('fit, however long their notes and the names of their objects are', async () => {
    await using recording = await Recording.start('long')
    const name = `${'a'.repeat(61)}.`.repeat(4).slice(0, 245)
    const object = await widget(name)
    recording.recorder.record(Widget, object, { ...delivered, note: 'ä€😀'.repeat(300) })
    await recording.written(1)
    const row = (await described('widget', name)).at(-1)!
    expect(row).toMatch(/ä€😀ä.*…$/)
    expect(row).not.toContain('\uFFFD')
    expect(recording.errors).toEqual([])
  })
})
