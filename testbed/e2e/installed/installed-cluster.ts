import { setTimeout as sleep } from 'node:timers/promises'
import { apiVersion, systemNamespace, type Host as HostObject, type HostRequest } from '@keelson/api'
import { defineKind, kinds, KubeClient, NotFoundError, type KubernetesObject, type Pod as PodSpec } from '@keelson/kube'
import { Cluster } from '../../cluster/cluster.ts'
import { installKeelson, type InstallOptions } from '../../cluster/install.ts'
import { CommandError } from '../../command.ts'
import { eventually } from '../../deadline.ts'
import type { Host } from '../../hosts/host.ts'
import { CountedUnit } from '../../world/counted-unit.ts'
import { Requests, type SpecInput } from '../../world/requests.ts'
import { HostSnapshot } from './host-snapshot.ts'

const hostKind = defineKind<HostObject>({ apiVersion, kind: 'Host', plural: 'hosts', namespaced: false })

export type Pod = PodSpec & {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}
const podKind = defineKind<Pod>({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true })

export type Component = 'operator' | 'console' | 'installer'

/** A cluster by kubeadm with Keelson installed by Helm, agents put onto its hosts by the DaemonSet, and a unit on each host that counts its starts. */
export class InstalledCluster implements AsyncDisposable {
  readonly cluster: Cluster
  readonly client: KubeClient
  readonly requests: Requests
  /** How each host was before Keelson came, by name. */
  readonly before: ReadonlyMap<string, HostSnapshot>
  #unit: CountedUnit

  private constructor(parts: Pick<InstalledCluster, 'cluster' | 'client' | 'before' | 'unit'>) {
    this.cluster = parts.cluster
    this.client = parts.client
    this.before = parts.before
    this.#unit = parts.unit
    this.requests = new Requests(parts.client)
  }

  /** Every host Ready in the eyes of the operator. */
  static async boot(): Promise<InstalledCluster> {
    await using stack = new AsyncDisposableStack()
    const cluster = stack.use(await Cluster.boot())
    const unit = await CountedUnit.install(cluster.lab.hosts)
    const before = new Map(
      await Promise.all(cluster.lab.hosts.map(async (host) => [host.name, await HostSnapshot.take(host)] as const)),
    )
    const client = stack.use(await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'testbed' }))
    const installed = new InstalledCluster({ cluster, client, before, unit })
    await installed.install().catch(async (error: unknown) => {
      console.error(await installed.sight())
      throw error
    })
    installed.#owned = stack.move()
    return installed
  }

  #owned: AsyncDisposableStack | undefined

  get unit(): CountedUnit {
    return this.#unit
  }

  /** One more host in the cluster, which Keelson has not been told of. */
  async addWorker(name: string, options: { readonly hostname?: string } = {}): Promise<void> {
    await this.cluster.addWorker(name, options)
    this.#unit = await CountedUnit.install(this.cluster.lab.hosts)
  }

  get names(): string[] {
    return this.cluster.lab.hosts.map(({ name }) => name)
  }

  /** By the chart; comes back when every Host is Ready, too. */
  async install(options: InstallOptions = {}): Promise<void> {
    // Quickly: a test that looks at a host's state should not have to wait for the next time.
    const values = { 'operator.factsIntervalSeconds': 1, ...options.values }
    await installKeelson(this.cluster, { ...options, values })
    if (options.wait !== false) for (const name of this.names) await this.hostReady(name)
  }

  /** @throws CommandError with Helm's words */
  async helm(...args: readonly string[]): Promise<string> {
    const argv = [...args, `--namespace=${systemNamespace}`]
    const result = await this.cluster.helm(argv)
    if (result.exitCode !== 0) throw new CommandError(['helm', ...argv], result)
    return result.stdout
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    return this.cluster.mustKubectl(args)
  }

  async host(name: string): Promise<HostObject | undefined> {
    return this.client.get(hostKind, { name }).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined
      throw error
    })
  }

  /** The condition Ready of a Host, `True` or its reason and message. */
  async readiness(name: string): Promise<string> {
    const ready = (await this.host(name))?.status?.conditions.find(({ type }) => type === 'Ready')
    return ready?.status === 'True' ? 'True' : `${ready?.reason}: ${ready?.message}`
  }

  async hostReady(name: string, timeoutMs = 60_000): Promise<void> {
    const ready = async () => {
      const readiness = await this.readiness(name)
      if (readiness !== 'True') throw new Error(readiness)
      return true
    }
    await eventually(`the Host ${name} is Ready`, ready, timeoutMs)
  }

  async nodeReady(name: string, wanted: boolean): Promise<void> {
    const isSo = async () => {
      const { status } = await this.client.get(kinds.Node, { name })
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
      return ready === wanted
    }
    await eventually(`the Node ${name} is ${wanted ? '' : 'not '}Ready`, isSo, 90_000)
  }

  /** Versions of the agents, as their Hosts tell them, by name. */
  async agentVersions(): Promise<Record<string, string | undefined>> {
    const told = this.names.map(async (name) => [name, (await this.host(name))?.status?.facts?.agentVersion] as const)
    return Object.fromEntries(await Promise.all(told))
  }

  /** Pods of a component that are not on their way out, sorted by their Nodes. */
  async pods(component: Component): Promise<Pod[]> {
    const labelSelector = `app.kubernetes.io/component=${component}`
    const { items } = await this.client.list(podKind, { namespace: systemNamespace, labelSelector })
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .toSorted((a, b) => nodeOf(a).localeCompare(nodeOf(b)))
  }

  /** The Pod of a component on a Node, once it is Ready. */
  async readyPodOn(component: Component, node: string): Promise<Pod> {
    return eventually(
      `the ${component} on ${node} is Ready`,
      async () => (await this.pods(component)).find((pod) => nodeOf(pod) === node && isReady(pod)),
      60_000,
    )
  }

  /** The name of the Pod of the operator that leads. */
  async leader(): Promise<string> {
    const { spec } = await this.client.get(kinds.Lease, { name: 'keelson-operator', namespace: systemNamespace })
    return spec?.holderIdentity?.split('_')[0] ?? ''
  }

  /** Process of each agent, by name; 0 where there is none. */
  async agentProcesses(): Promise<Record<string, string>> {
    const read = this.cluster.lab.hosts.map(async (host) => [host.name, await agentProperty(host, 'MainPID')] as const)
    return Object.fromEntries(await Promise.all(read))
  }

  async agentsAre(version: string): Promise<void> {
    for (const name of this.names) await this.hostReady(name)
    await eventually(
      `all agents are ${version}`,
      async () => Object.values(await this.agentVersions()).every((told) => told === version),
      60_000,
    )
  }

  /** When each agent was away the last time, in the order of that; in microseconds of the clock that all hosts have in common. */
  async agentsAway(): Promise<{ readonly from: number; readonly until: number }[]> {
    const properties = ['ActiveExitTimestampMonotonic', 'ActiveEnterTimestampMonotonic']
    const read = this.cluster.lab.hosts.map(async (host) => {
      const values = await Promise.all(properties.map((name) => agentProperty(host, name)))
      const [from = 0, until = 0] = values.map(Number)
      return { from, until }
    })
    return (await Promise.all(read)).toSorted((a, b) => a.from - b.from)
  }

  /** Lets the held units go as soon as operator or agents are being replaced: another one leads, or an agent waits for what it has in hand. */
  async releaseOnceChanged(leader: string): Promise<void> {
    const changes = async () => {
      if (![leader, ''].includes(await this.leader())) return true
      const states = await Promise.all(this.cluster.lab.hosts.map((host) => agentProperty(host, 'ActiveState')))
      return states.includes('deactivating')
    }
    await eventually('operator or agents are being replaced', changes, 90_000)
    await this.unit.release()
  }

  /** Looks again and again at how many Pods of a component are Ready; `end` gives back the fewest there were. */
  fewestReady(component: Component): { end(): Promise<number> } {
    let fewest = Infinity
    const over = new AbortController()
    const look = async (): Promise<void> => {
      while (!over.signal.aborted) {
        fewest = Math.min(fewest, (await this.pods(component)).filter(isReady).length)
        await sleep(100, undefined, { signal: over.signal }).catch(() => {})
      }
    }
    const looking = look()
    return {
      end: async () => {
        over.abort()
        await looking
        return fewest
      },
    }
  }

  /** What the chart has made and is still there, but for what bears `helm.sh/resource-policy: keep`. */
  async leftInCluster(): Promise<string[]> {
    const all = (await this.kubectl('api-resources', '--verbs=list', '--output=name')).split('\n').join(',')
    const selector = '--selector=app.kubernetes.io/instance=keelson'
    const found = JSON.parse(await this.kubectl('get', all, '--all-namespaces', selector, '--output=json')) as {
      readonly items: readonly KubernetesObject[]
    }
    return found.items
      .filter(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] !== 'keep')
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  }

  /** A request that starts the counted unit on each of these hosts, while it is held there; comes back when each has begun. */
  async underWay(name: string, hosts: readonly string[], more: Partial<SpecInput> = {}): Promise<HostRequest> {
    await this.unit.reset()
    await this.unit.hold()
    const request = await this.requests.apply(name, { ...this.unit.restart(hosts), timeoutSeconds: 60, ...more })
    await eventually(`${hosts.join(', ')} have begun ${name}`, async () => {
      const starts = await this.unit.starts()
      return hosts.every((host) => starts[host] === 1)
    })
    return request
  }

  /** A request that every host can answer; what became of it. */
  async ask(name: string, hosts: readonly string[], more: Partial<SpecInput> = {}): Promise<HostRequest['status']> {
    const http = { port: 7117, api: '/v1/hostname', method: 'GET' } as const
    const spec = { workers: hosts.map((host) => ({ name: host })), http, ...more }
    return (await this.requests.send(name, spec)).status
  }

  /** What cluster, Pods and agents show now, for whoever looks into a test that failed. */
  async sight(): Promise<string> {
    const inSystem = `--namespace=${systemNamespace}`
    const commands = [
      ['get', 'nodes,pods,csr', '--all-namespaces', '--output=wide'],
      ['get', 'hosts,hostrequests', '--all-namespaces', '--output=wide'],
      ['get', 'events', inSystem, '--field-selector=type=Warning'],
      ...['operator', 'installer', 'console'].map((component) => [
        ...['logs', inSystem, '--prefix', '--tail=25', `--selector=app.kubernetes.io/component=${component}`],
      ]),
    ]
    const seen: string[] = []
    for (const args of commands) {
      const { stdout, stderr } = await this.cluster.kubectl(args)
      seen.push(`kubectl ${args.join(' ')}`, stdout, stderr)
    }
    const log = ['journalctl', '--no-pager', '--lines=20', '--unit=keelson-agent']
    for (const host of this.cluster.lab.hosts) {
      const lines = await host.read([...log, '--grep=^(?!.*"path":"/v1/facts")']).catch(String)
      seen.push(host.name, lines)
    }
    return seen.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.disposeAsync()
  }
}

async function agentProperty(host: Host, name: string): Promise<string> {
  return host.read(['systemctl', 'show', '--value', `--property=${name}`, 'keelson-agent'])
}

export function nodeOf(pod: Pod): string {
  return pod.spec?.nodeName ?? ''
}

export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
