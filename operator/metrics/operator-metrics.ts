import type { Host, HostRequest } from '@keelson/api'
import type { MetricDescription, MetricsSink, ReadonlyStore } from '@keelson/kube'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { isOnline } from '../requests/targets.ts'
import { descriptions, type Descriptions } from './descriptions.ts'

type OfType<Type extends string> = {
  [Name in keyof Descriptions]: Descriptions[Name]['type'] extends Type ? Name : never
}[keyof Descriptions]

type Labels<Name extends keyof Descriptions> = Readonly<Record<Descriptions[Name]['labels'][number], string>>

/** What is counted when somebody asks, not when it changes. */
export type Observed = {
  readonly hosts: ReadonlyStore<Host>
  readonly requests: ReadonlyStore<HostRequest>
  readonly policyMissing: () => boolean
}

const states = ['PENDING', 'RUNNING', 'PAUSED', 'SUCCESS', 'ERROR'] as const
const outcomes = ['succeeded', 'failed', 'unknown'] as const

/** Everything that the operator measures, for Prometheus to read. The metrics library is known here and nowhere else. */
export class OperatorMetrics implements MetricsSink {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter<string>>()
  readonly #gauges = new Map<string, Gauge<string>>()
  readonly #histograms = new Map<string, Histogram<string>>()
  #observed: Observed | undefined

  constructor() {
    for (const [name, description] of Object.entries<MetricDescription>(descriptions)) {
      const { type, help, labels, buckets = [] } = description
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] }
      if (type === 'counter') this.#counters.set(name, new Counter(options))
      else if (type === 'gauge') this.#gauges.set(name, new Gauge(options))
      else this.#histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }))
    }
    for (const outcome of outcomes) this.add('keelson_deliveries_total', { outcome }, 0)
    this.add('keelson_runs_begun_total', {}, 0)
  }

  /** Measures the process, too: processor, memory, event loop. Once in a process. */
  measureProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  add<Name extends OfType<'counter'>>(name: Name, labels: Labels<Name>, amount: number): void {
    this.#counters.get(name)?.inc(labels, amount)
  }

  set<Name extends OfType<'gauge'>>(name: Name, labels: Labels<Name>, value: number): void {
    this.#gauges.get(name)?.set(labels, value)
  }

  observe<Name extends OfType<'histogram'>>(name: Name, labels: Labels<Name>, value: number): void {
    this.#histograms.get(name)?.observe(labels, value)
  }

  /** Until it is disposed; a process that does not lead knows nothing of Hosts and requests and says nothing. */
  watch(observed: Observed): Disposable {
    this.#observed = observed
    return {
      [Symbol.dispose]: () => {
        if (this.#observed !== observed) return
        this.#observed = undefined
        for (const name of [
          'keelson_hosts',
          'keelson_agents',
          'keelson_hostrequests',
          'keelson_policy_missing',
        ] as const)
          this.#gauges.get(name)?.reset()
      },
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    if (this.#observed !== undefined) this.#look(this.#observed)
    return this.#registry.metrics()
  }

  #look({ hosts, requests, policyMissing }: Observed): void {
    const all = hosts.list()
    const online = all.filter(isOnline).length
    this.set('keelson_hosts', { online: 'true' }, online)
    this.set('keelson_hosts', { online: 'false' }, all.length - online)
    // One that no agent has any more must not stay.
    this.#gauges.get('keelson_agents')?.reset()
    for (const [version, count] of agentVersions(all)) this.set('keelson_agents', { version }, count)
    const counts = new Map<string, number>(states.map((state) => [state, 0]))
    for (const { status } of requests.list()) {
      const state = status?.state ?? 'PENDING'
      counts.set(state, (counts.get(state) ?? 0) + 1)
    }
    for (const [state, count] of counts) this.set('keelson_hostrequests', { state }, count)
    this.set('keelson_policy_missing', {}, policyMissing() ? 1 : 0)
  }
}

const maxVersions = 10

/** How many agents there are of each version, the most frequent first; agents tell their version themselves, so how many labels that makes is bounded. */
function agentVersions(hosts: readonly Host[]): readonly (readonly [version: string, count: number])[] {
  const counts = new Map<string, number>()
  for (const { status } of hosts) {
    const version = status?.facts?.agentVersion
    if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1)
  }
  const sorted = [...counts].toSorted(([a, some], [b, more]) => more - some || (a < b ? -1 : 1))
  const others = sorted.slice(maxVersions).reduce((sum, [, count]) => sum + count, 0)
  return [...sorted.slice(0, maxVersions), ...(others === 0 ? [] : [['other', others] as const])]
}
