import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { agentPort } from '@keelson/api'
import { KubeClient } from '@keelson/kube'
import { ControlPlane } from '../control-plane/control-plane.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { Lab } from '../hosts/lab.ts'
import { hubAddress } from '../hosts/network.ts'
import type { Host } from '../hosts/host.ts'
import { CertificateAuthority, type KeyPair } from '../pki.ts'
import { NodeStandIn, type Role } from './node-stand-in.ts'
import { preparedLayers } from './prepare.ts'

const tree = resolve(import.meta.dirname, '../..')

/** The identity by which the operator sends HostRequests. */
const requestIdentity = 'request.keelson.dev'

/** A Node whose kubelet is silent turns Unknown after 12 s instead of 50. */
const controllerManagerFlags = ['--node-monitor-grace-period=12s', '--node-monitor-period=2s']

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
  /** Signs agents and the operator; for now the test world hands the certificates out. */
  readonly authority: CertificateAuthority
  readonly #options: WorldOptions
  readonly #stack: AsyncDisposableStack
  readonly #standIns = new Map<string, NodeStandIn>()
  #operator: Daemon | undefined

  private constructor(
    parts: { cluster: ControlPlane; lab: Lab; client: KubeClient; authority: CertificateAuthority },
    options: WorldOptions,
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster
    this.lab = parts.lab
    this.client = parts.client
    this.authority = parts.authority
    this.#options = options
    this.#stack = stack
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    await using stack = new AsyncDisposableStack()
    const lab = stack.use(await Lab.open({ layers: preparedLayers() }))
    const cluster = stack.use(await ControlPlane.start({ address: hubAddress, controllerManagerFlags }))
    const client = stack.use(await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'testbed' }))
    const authority = await CertificateAuthority.create('keelson agents')
    const world = new World({ cluster, lab, client, authority }, options, stack.move())
    try {
      await world.#install()
      const count = options.hosts ?? 3
      const names = ['control-plane', ...Array.from({ length: count - 1 }, (_, index) => `worker-${index + 1}`)]
      await Promise.all(names.map((name, index) => world.boot(name, index === 0 ? 'control-plane' : 'worker')))
      if (options.operator !== false) await world.startOperator()
      return world
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
  }

  host(name: string): Host {
    return this.lab.host(name)
  }

  /** CRDs, roles and policy, as a user installs them. */
  async #install(): Promise<void> {
    await this.kubectl('create', 'namespace', 'keelson-system')
    for (const folder of ['deploy/crds', 'deploy/rbac', 'deploy/admission'])
      for (const file of (await readdir(join(tree, folder))).toSorted())
        await this.kubectl('apply', '--server-side', '--filename', join(tree, folder, file))
    await this.kubectl(
      'wait',
      '--for=condition=Established',
      'crd/hosts.keelson.dev',
      'crd/hostrequests.keelson.dev',
      '--timeout=20s',
    )
  }

  /** A further host with its agent and its Node. */
  async boot(name: string, role: Role): Promise<Host> {
    const host = await this.lab.boot(name, { files: (made) => this.#agentFiles(made) })
    this.#standIns.set(name, this.#stack.use(await NodeStandIn.register(this.client, host, role)))
    return host
  }

  async #agentFiles({ name, address }: { name: string; address: string }): Promise<Record<string, string>> {
    const folder = '/var/lib/keelson/tls'
    const configuration = { name, address, port: agentPort, tls: folder }
    const pair = await this.agentCertificate(name)
    return {
      '/etc/keelson/agent.json': `${JSON.stringify(configuration, null, 2)}\n`,
      ...tlsFiles(folder, this.authority.certificate, pair),
    }
  }

  async agentCertificate(name: string): Promise<KeyPair> {
    return this.authority.issue({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] })
  }

  async requestCertificate(): Promise<KeyPair> {
    return this.authority.issue({ subject: `CN=${requestIdentity}`, dnsNames: [requestIdentity], usages: ['client'] })
  }

  /** Starts the operator as a process of the capsule, with the rights of its own ServiceAccount. */
  async startOperator(): Promise<void> {
    const kubeconfig = await this.cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator')
    const tls = join(this.cluster.directory, 'operator-tls')
    await mkdir(tls, { recursive: true })
    for (const [path, content] of Object.entries(
      tlsFiles(tls, this.authority.certificate, await this.requestCertificate()),
    ))
      await writeFile(path, content, { mode: 0o600 })
    const argv = [
      ...[process.execPath, join(tree, 'operator/main.ts'), `--kubeconfig=${kubeconfig}`, `--tls=${tls}`],
      `--facts-interval-seconds=${this.#options.factsIntervalSeconds ?? 5}`,
    ]
    this.#operator = this.#stack.use(new Daemon('operator', argv, { log: this.operatorLog }))
  }

  get operatorLog(): string {
    return join(this.cluster.directory, 'operator.log')
  }

  async stopOperator(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#operator?.stop(signal)
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
    const output = '--output=jsonpath={.status.facts.bootID} {.status.conditions[?(@.type=="Ready")].status}'
    await eventually(
      `${name} is Ready`,
      async () => {
        const [found = '', ready] = (await this.kubectl('get', 'host', name, output)).split(' ')
        return ready === 'True' && (boot === '' || found === boot)
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

function tlsFiles(folder: string, ca: string, { certificate, key }: KeyPair): Record<string, string> {
  return { [`${folder}/ca.crt`]: ca, [`${folder}/tls.crt`]: certificate, [`${folder}/tls.key`]: key }
}
