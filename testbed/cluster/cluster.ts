import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CommandError, mustRun, runCommand, type CommandResult } from '../command.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import type { Host } from '../hosts/host.ts'
import { Lab } from '../hosts/lab.ts'
import { hubAddress } from '../hosts/network.ts'
import { report } from '../progress.ts'
import { programs } from '../programs/programs.ts'
import { kubernetesVersion } from './images.ts'
import { newToken, initConfiguration, joinConfiguration, networkConfiguration, podNetwork } from './kubeadm.ts'
import { preparedCluster } from './prepare.ts'
import { copyStore } from './store.ts'

const topic = 'cluster'

/** Where kubeadm's configuration lies on a host. */
const configurationFile = '/etc/kubernetes/kubeadm.yaml'

const controlPlane = 'control-plane'

export type ClusterOptions = {
  /** How many there are beside the control plane; the default is 2. */
  readonly workers?: number
  /** True: a host calls itself as its Node is called. The default is `metal-1`, `metal-2` …, so that the names of hosts can be changed. */
  readonly hostnamesOfNodes?: boolean
}

export type KubectlOptions = { readonly input?: string; readonly kubeconfig?: string }

/**
 * A cluster as its users have it: hosts that were joined by kubeadm, with containerd, kubelet, kube-proxy and CoreDNS, and real pods. Its Nodes are
 * `control-plane`, `worker-1`, `worker-2` …. Inside a capsule only, one at a time.
 */
export class Cluster implements AsyncDisposable {
  readonly lab: Lab
  /** For files of whoever uses the cluster, too; gone with it. */
  readonly directory: string
  readonly #programs: { readonly kubectl: string; readonly helm: string }
  readonly #token = newToken()
  readonly #hostnamesOfNodes: boolean
  readonly #archives: string[] = []
  #hosts = 0
  readonly #began = performance.now()

  private constructor(lab: Lab, directory: string, options: ClusterOptions, found: { kubectl: string; helm: string }) {
    this.lab = lab
    this.directory = directory
    this.#hostnamesOfNodes = options.hostnamesOfNodes ?? false
    this.#programs = found
  }

  /** Everything up: Nodes Ready, Services and their names answered; about half a minute. Reports each step. */
  static async boot(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.bare(options)
    try {
      await cluster.form()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Its hosts have booted and have all that kubeadm wants, and no Kubernetes yet: {@link form}. */
  static async bare(options: ClusterOptions = {}): Promise<Cluster> {
    await using stack = new AsyncDisposableStack()
    const { layers, store } = preparedCluster()
    const [kubectl, helm] = [join(await controlPlaneBinaries(), 'kubectl'), join(await programs('helm'), 'helm')]
    // Beside the hosts, on the same file system.
    const directory = await mkdtemp('/run/keelson/cluster-')
    stack.defer(() => rm(directory, { recursive: true, force: true }))
    // Once from the cache into the capsule's memory; the hosts share its files.
    const images = join(directory, 'images')
    await mustRun(['cp', '--archive', store, images])
    const containers = {
      folders: {
        '/var/lib/containerd': (folder: string) => copyStore(images, folder),
        '/var/lib/kubelet': async () => {},
        '/var/lib/etcd': async () => {},
      },
      // For runc's filter of devices, and for containers, which have a keyring each.
      systemCalls: ['bpf', '@keyring', 'perf_event_open'],
    }
    const lab = stack.use(await Lab.open({ layers, containers }))
    const cluster = new Cluster(lab, directory, options, { kubectl, helm })
    // Packets from host to host between pods pass through here, as by the router of a data centre.
    await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
    const workers = Array.from({ length: options.workers ?? 2 }, (_, index) => `worker-${index + 1}`)
    cluster.#say(`booting ${workers.length + 1} hosts`)
    await settled([controlPlane, ...workers].map((name) => cluster.#bootHost(name)))
    cluster.#owned = stack.move()
    return cluster
  }

  #owned: AsyncDisposableStack | undefined

  /** Makes the cluster of its hosts, by `kubeadm init` and `kubeadm join`, and waits until all of it works. */
  async form(): Promise<void> {
    this.#say('kubeadm init')
    await this.#init(this.host(controlPlane))
    const workers = this.lab.hosts.filter(({ name }) => name !== controlPlane)
    await settled(workers.map((host) => this.#join(host)))
    this.#say(`kubeadm join: ${workers.length} workers have joined`)
    await this.#ready()
  }

  #say(line: string): void {
    report(topic, `${((performance.now() - this.#began) / 1_000).toFixed(1)} s: ${line}`)
  }

  get server(): string {
    return `https://${this.host(controlPlane).address}:6443`
  }

  get adminKubeconfig(): string {
    return join(this.directory, 'admin.kubeconfig')
  }

  /** The host of a Node, by the Node's name. */
  host(name: string): Host {
    return this.lab.host(name)
  }

  async #bootHost(name: string, hostname?: string): Promise<Host> {
    this.#hosts += 1
    const own = hostname ?? (this.#hostnamesOfNodes ? name : `metal-${this.#hosts}`)
    const host = await this.lab.boot(name, {
      hostname: own,
      files: async ({ address }) => ({
        '/etc/cni/net.d/10-pods.conflist': networkConfiguration(address),
        // Nobody answers there, but kubelet and CoreDNS want to be told of somebody.
        '/etc/resolv.conf': `nameserver ${hubAddress}\n`,
      }),
    })
    await mustRun(['ip', 'route', 'replace', podNetwork(host.address), 'via', host.address])
    return host
  }

  async #init(host: Host): Promise<void> {
    await this.#kubeadm(host, 'init', initConfiguration(host, await kubernetesVersion(), this.#token))
    await copyFile(join(host.root, 'etc/kubernetes/admin.conf'), this.adminKubeconfig)
    this.#say('kubeadm init: the API server answers')
  }

  async #join(host: Host): Promise<void> {
    const authority = await readFile(join(this.host(controlPlane).root, 'etc/kubernetes/pki/ca.crt'), 'utf8')
    await this.#kubeadm(host, 'join', joinConfiguration(host, this.server, this.#token, authority))
  }

  async #kubeadm(host: Host, command: 'init' | 'join', configuration: string): Promise<void> {
    await mkdir(join(host.root, 'etc/kubernetes'), { recursive: true })
    await writeFile(join(host.root, configurationFile), configuration, { mode: 0o600 })
    await host
      .run(['kubeadm', command, `--config=${configurationFile}`], { timeoutMs: 180_000 })
      .catch(async (error) => {
        const log = await host.read(['journalctl', '--no-pager', '--lines=60', '--unit=kubelet', '--unit=containerd'])
        throw new Error(`kubeadm ${command} failed on ${host.name}; its kubelet and containerd say:\n${log}`, {
          cause: error,
        })
      })
    // It holds the token.
    await rm(join(host.root, configurationFile))
  }

  async #ready(): Promise<void> {
    await Promise.all(this.lab.hosts.map(({ name }) => this.#nodeReady(name)))
    this.#say('all Nodes are Ready')
    for (const workload of ['daemonset/kube-proxy', 'deployment/coredns'])
      await this.mustKubectl(['--namespace=kube-system', 'rollout', 'status', workload, '--timeout=120s'])
    this.#say('kube-proxy and CoreDNS are up')
  }

  async #nodeReady(name: string): Promise<void> {
    // kubeadm is done when the kubelet has its certificate; its Node comes after.
    for (const state of ['create', 'condition=Ready'])
      await this.mustKubectl(['wait', `--for=${state}`, `node/${name}`, '--timeout=120s'])
  }

  /** One more host, booted and joined, and Ready; with the images that were loaded into the others, since it cannot pull them. */
  async addWorker(name: string, options: { readonly hostname?: string } = {}): Promise<Host> {
    const host = await this.#bootHost(name, options.hostname)
    for (const archive of this.#archives) await this.#loadImage(host, archive)
    await this.#join(host)
    await this.#nodeReady(name)
    return host
  }

  /** kubectl as administrator, or by another kubeconfig. Never throws for a refusal: look at `exitCode`. */
  async kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<CommandResult> {
    return this.#run(this.#programs.kubectl, args, options)
  }

  /** As {@link kubectl}, but throws unless it succeeds; gives back its output without the last line break. */
  async mustKubectl(args: readonly string[], options: KubectlOptions = {}): Promise<string> {
    const result = await this.kubectl(args, options)
    if (result.exitCode !== 0) throw new CommandError(['kubectl', ...args], result)
    return result.stdout.trimEnd()
  }

  /** helm as administrator. Never throws for a failure: look at `exitCode`. */
  async helm(args: readonly string[], options: KubectlOptions = {}): Promise<CommandResult> {
    return this.#run(this.#programs.helm, args, options)
  }

  async #run(program: string, args: readonly string[], { input, kubeconfig }: KubectlOptions): Promise<CommandResult> {
    const env = { KUBECONFIG: kubeconfig ?? this.adminKubeconfig, HOME: this.directory }
    return runCommand([program, ...args], { env, timeoutMs: 300_000, ...(input === undefined ? {} : { input }) })
  }

  /** Loads an image into the containerd of each host, from an archive as `docker save` writes it. No registry can be reached from here. */
  async loadImage(archive: string): Promise<void> {
    if (!this.#archives.includes(archive)) this.#archives.push(archive)
    await settled(this.lab.hosts.map((host) => this.#loadImage(host, archive)))
  }

  async #loadImage(host: Host, archive: string): Promise<void> {
    const inHost = join('/var/lib', `image-${basename(archive)}`)
    await copyFile(archive, join(host.root, inHost))
    try {
      await host.run([
        '/usr/local/bin/ctr',
        '--namespace=k8s.io',
        'images',
        'import',
        '--local',
        '--discard-unpacked-layers',
        inHost,
      ])
    } finally {
      await rm(join(host.root, inHost))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.disposeAsync()
  }
}

/** Waits until all have come to their end; throws the first failure then. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason
}
