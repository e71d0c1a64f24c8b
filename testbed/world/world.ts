import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPort, apiVersion, operatorIdentities, systemNamespace, type Host as HostObject } from '@keelson/api'
import { defineKind, kinds, KubeClient } from '@keelson/kube'
import { ControlPlane } from '../control-plane/control-plane.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { Lab } from '../hosts/lab.ts'
import { hubAddress } from '../hosts/network.ts'
import type { Host } from '../hosts/host.ts'
import type { CertificateAuthority, KeyPair } from '../pki.ts'
import { enrolHost, operatorAuthority } from './enrolment.ts'
import { kubeletFiles } from './kubelet-layer.ts'
import { applyManifests, policyInForceMs } from './manifests.ts'
import { preparedLayers } from './prepare.ts'

const hostKind = defineKind<HostObject>({ apiVersion, kind: 'Host', plural: 'hosts', namespaced: false })

const tree = resolve(import.meta.dirname, '../..')

/** A Node whose kubelet is silent turns Unknown after 12 s instead of 50. */
const controllerManagerFlags = ['--node-monitor-grace-period=12s', '--node-monitor-period=2s']

/** As `kubeadm` sets it: no kubelet may. */
const controlPlaneLabel = 'node-role.kubernetes.io/control-plane'

export type WorldOptions = {
  /** How many hosts; the first is the control plane's, the others are workers. The default is 3. */
  readonly hosts?: number
  /** False: no operator. The default is true. */
  readonly operator?: boolean
  /** How often the operator asks each agent for its facts, in seconds. */
  readonly factsIntervalSeconds?: number
}

/**
 * A cluster as a user of Keelson has it: control plane, hosts with an agent each, Nodes, CRDs, and the operator under its own account.
 * Inside a capsule only.
 */
export class World implements AsyncDisposable {
  readonly cluster: ControlPlane
  readonly lab: Lab
  readonly client: KubeClient
  readonly #options: WorldOptions
  readonly #stack: AsyncDisposableStack
  #policyInForce: Promise<unknown> = Promise.resolve()
  #operator: Daemon | undefined
  #authority: CertificateAuthority | undefined

  private constructor(
    parts: { cluster: ControlPlane; lab: Lab; client: KubeClient },
    options: WorldOptions,
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster
    this.lab = parts.lab
    this.client = parts.client
    this.#options = options
    this.#stack = stack
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    await using stack = new AsyncDisposableStack()
    const lab = stack.use(await Lab.open({ layers: preparedLayers() }))
    const cluster = stack.use(await ControlPlane.start({ address: hubAddress, controllerManagerFlags }))
    const client = stack.use(await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'testbed' }))
    const world = new World({ cluster, lab, client }, options, stack.move())
    try {
      const names = Array.from({ length: options.hosts ?? 3 }, (_, index) =>
        index === 0 ? 'control-plane' : `worker-${index}`,
      )
      // Both at once, as each waits a lot; what fails is thrown when neither goes on any more.
      const made = await Promise.allSettled([world.#install(), ...names.map((name) => world.#boot(name))])
      for (const part of made) if (part.status === 'rejected') throw part.reason
      await Promise.all(names.map((name) => world.#enrol(name)))
      await world.#policyInForce
      return world
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
  }

  host(name: string): Host {
    return this.lab.host(name)
  }

  async #install(): Promise<void> {
    await applyManifests(this.cluster)
    this.#policyInForce = sleep(policyInForceMs)
    if (this.#options.operator !== false) await this.startOperator()
  }

  /** A host with its Node. */
  async #boot(name: string): Promise<void> {
    await this.lab.boot(name, { files: (made) => this.#files(made) })
    await eventually(`the Node ${name} is Ready`, () => this.#nodeReady(name), 30_000)
    if (name === 'control-plane') {
      const labels = { [controlPlaneLabel]: '' }
      await this.client.apply(kinds.Node, { metadata: { name, labels } })
    }
  }

  async #enrol(name: string): Promise<void> {
    // Without an operator nobody signs.
    if (this.#options.operator !== false) await enrolHost(this.cluster, this.host(name))
  }

  async #nodeReady(name: string): Promise<boolean> {
    const { status } = await this.client.get(kinds.Node, { name })
    return status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') === true
  }

  async #files(host: { name: string; address: string }): Promise<Record<string, string>> {
    const configuration = { ...host, port: agentPort, tls: '/var/lib/keelson/tls' }
    const agent = { '/etc/keelson/agent.json': `${JSON.stringify(configuration, null, 2)}\n` }
    return { ...agent, ...(await kubeletFiles(this.cluster, host)) }
  }

  /** Has signed agents and the operator: that of the operator, once it has begun. */
  get authority(): CertificateAuthority {
    if (this.#authority === undefined) throw new Error('no operator was started, so there is no authority')
    return this.#authority
  }

  async agentCertificate(name: string): Promise<KeyPair> {
    return this.authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  }

  async requestCertificate(): Promise<KeyPair> {
    const name = operatorIdentities.request
    return this.authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['client'] })
  }

  /**
   * Starts the operator as a process of the capsule, with the rights of its own ServiceAccount.
   *
   * @param server where it finds the API server, if it is not to be asked directly
   */
  async startOperator(server = this.cluster.server): Promise<void> {
    const kubeconfig = await this.cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator')
    await writeFile(kubeconfig, (await readFile(kubeconfig, 'utf8')).replace(this.cluster.server, server))
    const argv = [
      ...[process.execPath, join(tree, 'cli/main.ts'), 'operator', `--kubeconfig=${kubeconfig}`],
      `--facts-interval-seconds=${this.#options.factsIntervalSeconds ?? 5}`,
    ]
    this.#operator = this.#stack.use(new Daemon('operator', argv, { log: this.operatorLog }))
    this.#authority = await eventually('the operator has its roots', () => operatorAuthority(this.client), 60_000)
  }

  get operatorLog(): string {
    return join(this.cluster.directory, 'operator.log')
  }

  /**
   * Ends the operator. One that is killed holds its Lease on; it is taken away here, so that the next one need not wait until it expires. How that goes is
   * not the world's matter.
   */
  async stopOperator(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    // In good order it takes at most 15 s.
    await this.#operator?.stop(signal, 30_000)
    if (signal !== 'SIGKILL') return
    const lease = { name: 'keelson-operator', namespace: systemNamespace }
    await this.client.patch(kinds.Lease, lease, { spec: { holderIdentity: '' } })
  }

  /** Waits until every host is Ready in the eyes of the operator. */
  async hostsReady(): Promise<void> {
    for (const { name } of this.lab.hosts) await this.#hostReady(name)
  }

  /** Reboots a host and waits until the operator has the facts of its new boot. */
  async reboot(name: string): Promise<void> {
    await this.host(name).reboot()
    const boot = await this.host(name).read(['cat', '/proc/sys/kernel/random/boot_id'])
    await this.#hostReady(name, boot)
  }

  async #hostReady(name: string, boot = ''): Promise<void> {
    await eventually(
      `${name} is Ready`,
      async () => {
        const { status } = await this.client.get(hostKind, { name })
        const ready = status?.conditions.some(({ type, status: holds }) => type === 'Ready' && holds === 'True')
        return ready === true && (boot === '' || status?.facts?.bootID === boot)
      },
      30_000,
    )
  }

  /** kubectl as administrator; throws with its words unless it succeeds. Gives back its output without the last line break. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.cluster.kubectl(args)
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
    return stdout.trimEnd()
  }

  /** It ends with the world, before all that was there earlier. */
  own<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
