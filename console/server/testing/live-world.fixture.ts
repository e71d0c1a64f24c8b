import { readFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { HostRequestStatus } from '@keelson/api'
import { KubeClient, loadKubeconfig, type Clock } from '@keelson/kube'
import { eventually } from '@keelson/testbed'
import { pino } from 'pino'
import { livePath } from '../../protocol/live.ts'
import { liveStream } from '../controller/live.ts'
import { hostsController } from '../controller/hosts-controller.ts'
import { permissionsController } from '../controller/permissions-controller.ts'
import { requestsController } from '../controller/requests-controller.ts'
import { Gate } from '../service/gate.ts'
import { hostKind, hostRequestKind } from '../service/kinds.ts'
import { LiveStore } from '../service/live/live-store.ts'
import { PersonClients } from '../service/person-clients.ts'
import { AccessCluster } from './access-cluster.fixture.ts'
import type { Answer, Browser } from './browser.fixture.ts'
import { TestConsole } from './console.fixture.ts'
import { LiveReader } from './live-reader.ts'
import { hostNamed, specOf, type SpecSketch } from './objects.ts'

/** Real timers; what time it is can be put forward. */
class ShiftedClock implements Clock {
  #offset = 0

  now(): number {
    return performance.now() + this.#offset
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  }

  pass(milliseconds: number): void {
    this.#offset += milliseconds
  }
}

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username?: string }
  readonly objectRef?: {
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

/** A real API server, the console's process with the rights that the chart gives it and no others, and browsers. */
export class LiveWorld implements AsyncDisposable {
  readonly cluster: AccessCluster
  readonly console: TestConsole
  readonly people: PersonClients
  readonly store: LiveStore
  readonly clock: ShiftedClock
  readonly log: Record<string, unknown>[]
  readonly #stack: AsyncDisposableStack

  private constructor(
    parts: Pick<LiveWorld, 'cluster' | 'console' | 'people' | 'store' | 'clock' | 'log'>,
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster
    this.console = parts.console
    this.people = parts.people
    this.store = parts.store
    this.clock = parts.clock
    this.log = parts.log
    this.#stack = stack
  }

  static async start(): Promise<LiveWorld> {
    await using stack = new AsyncDisposableStack()
    const cluster = stack.use(await AccessCluster.start())
    const kubeconfig = await cluster.controlPlane.serviceAccountKubeconfig('keelson-system', 'keelson-console')
    const configuration = await loadKubeconfig(kubeconfig)
    const client = stack.use(new KubeClient({ ...configuration, fieldManager: 'keelson-console' }))
    const clock = new ShiftedClock()
    const log: Record<string, unknown>[] = []
    const logger = pino({}, { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) })
    const people = stack.use(new PersonClients({ client, cluster: cluster.server, clock }))
    const gate = new Gate({ client, people, clock })
    const store = new LiveStore({ client, logger, clock, pageSize: 2 })
    const stop = new AbortController()
    const running = store.run(stop.signal)
    stack.defer(async () => {
      stop.abort()
      await running
    })
    await store.synced(AbortSignal.timeout(20_000))
    const dependencies = { people, gate, store, clock }
    const console = stack.use(
      await TestConsole.start({
        controllers: [hostsController, requestsController, permissionsController].map((of) => of(dependencies)),
        streams: [liveStream(dependencies)],
      }),
    )
    return new LiveWorld({ cluster, console, people, store, clock, log }, stack.move())
  }

  /** An account, with a ClusterRole in these namespaces or everywhere, and a browser in which it is signed in. */
  async person(name: string, role?: string, namespaces?: readonly string[]): Promise<Browser> {
    await this.cluster.kubectl('create', 'serviceaccount', name, '--namespace=keelson-users')
    if (role !== undefined) await this.grant(name, role, namespaces)
    return this.console.signedIn(name)
  }

  async grant(name: string, role: string, namespaces?: readonly string[]): Promise<void> {
    const what = [`--clusterrole=${role}`, `--serviceaccount=keelson-users:${name}`]
    if (namespaces === undefined) await this.cluster.kubectl('create', 'clusterrolebinding', name, ...what)
    for (const namespace of namespaces ?? [])
      await this.cluster.kubectl('create', 'rolebinding', name, ...what, `--namespace=${namespace}`)
    for (const namespace of namespaces ?? [undefined]) {
      const act = { verb: 'list', group: 'keelson.dev', resource: 'hostrequests', namespace }
      await eventually('the right is known', () => this.cluster.allows(name, act))
    }
  }

  async revoke(name: string, namespace?: string): Promise<void> {
    if (namespace === undefined) await this.cluster.kubectl('delete', 'clusterrolebinding', name)
    else await this.cluster.kubectl('delete', 'rolebinding', name, `--namespace=${namespace}`)
    const act = { verb: 'list', group: 'keelson.dev', resource: 'hostrequests', namespace }
    await eventually('the right is gone', async () => !(await this.cluster.allows(name, act)))
  }

  /** A Host as the operator would have made it; a second time: with another message. */
  async host(name: string, message = '', labels: Record<string, string> = {}): Promise<void> {
    const { metadata, status } = hostNamed(name, { message, labels })
    await this.cluster.root.apply(hostKind, { metadata: { name: metadata.name, labels } }, { force: true })
    await this.cluster.root.patch(hostKind, { name }, { status }, { subresource: 'status' })
  }

  async request(namespace: string, name: string, sketch: SpecSketch = {}): Promise<void> {
    await this.cluster.root.create(hostRequestKind, { metadata: { namespace, name }, spec: specOf(sketch) })
  }

  /** As the operator writes it. */
  async report(namespace: string, name: string, status: HostRequestStatus): Promise<void> {
    const { metadata } = await this.cluster.root.get(hostRequestKind, { namespace, name })
    const observedGeneration = metadata.generation ?? 0
    const conditions = status.conditions.map((condition) => ({ ...condition, observedGeneration }))
    const written = { ...status, observedGeneration, conditions }
    await this.cluster.root.updateStatus(hostRequestKind, { metadata, status: written })
  }

  /** A reader that has read before says where it stands. */
  async open(browser: Browser, topics: readonly string[], reader = new LiveReader()): Promise<OpenStream> {
    return OpenStream.open(this.console.address, browser, topics, reader)
  }

  /** What was asked of the API server, as it saw it, by accounts of people: `ann get hostrequests red/a 200`. */
  async asked(): Promise<string[]> {
    const lines = (await readFile(this.cluster.controlPlane.auditLog, 'utf8')).split('\n').slice(0, -1)
    return lines
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ user }) => /:keelson-users:|:keelson-console$/.test(user.username ?? ''))
      .map(
        ({
          verb,
          user: { username = '' },
          objectRef: { resource, subresource, namespace, name } = {},
          responseStatus,
        }) => {
          const object = [namespace, name].filter((part) => part !== undefined).join('/')
          const what = [resource, subresource].filter((part) => part !== undefined).join('/')
          return [username.split(':').at(-1), verb, what, object, responseStatus?.code].join(' ')
        },
      )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** One tab: reads as fast as it can, until it is closed. */
export class OpenStream implements Disposable {
  readonly reader: LiveReader
  readonly answer: IncomingMessage
  ended = false

  private constructor(answer: IncomingMessage, reader: LiveReader) {
    this.answer = answer
    this.reader = reader
    answer.setEncoding('utf8')
    answer.on('data', (text: string) => reader.take(text))
    answer.on('error', () => undefined)
    answer.on('close', () => (this.ended = true))
  }

  static async open(
    address: URL,
    browser: Browser,
    topics: readonly string[],
    reader: LiveReader,
  ): Promise<OpenStream> {
    const search = new URLSearchParams(topics.map((topic): [string, string] => ['topic', topic])).toString()
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const { lastEventId } = reader
    const headers = {
      cookie,
      'sec-fetch-site': 'same-origin',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    }
    reader.cut()
    const call = request(new URL(`${livePath}?${search}`, address), { agent: false, headers })
    call.end()
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    return new OpenStream(answer, reader)
  }

  async sees(topic: string, names: readonly string[], timeoutMs = 10_000): Promise<void> {
    await eventually(
      `${topic} shows ${names.join(', ')}`,
      () => this.reader.topics.has(topic) && this.reader.names(topic).join() === names.join(),
      timeoutMs,
    )
  }

  [Symbol.dispose](): void {
    this.answer.destroy()
  }
}

export function bodyOf({ status, body, text }: Answer): unknown {
  if (status >= 400) throw new Error(`${status} ${text}`)
  return body
}
