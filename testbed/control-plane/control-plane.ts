import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun, runCommand, type CommandResult } from '../command.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { CertificateAuthority } from '../pki.ts'
import { controlPlaneBinaries } from './binaries.ts'
import { writeFiles } from './files.ts'
import { httpsCall } from './https-call.ts'
import { kubeconfig } from './kubeconfig.ts'
import { freePorts } from './ports.ts'

export type ControlPlaneOptions = {
  /** The address that the API server listens on; the default is 127.0.0.1. */
  readonly address?: string
  /** More names that the API server's certificate holds. */
  readonly addresses?: readonly string[]
  readonly apiServerFlags?: readonly string[]
  /** False: no kube-controller-manager (no garbage collection, namespaces stay Terminating). The default is true. */
  readonly controllerManager?: boolean
  readonly controllerManagerFlags?: readonly string[]
}

type Parts = {
  readonly directory: string
  readonly binaries: string
  readonly address: string
  readonly ports: { readonly etcd: number; readonly peer: number; readonly api: number }
  readonly authority: CertificateAuthority
  readonly options: ControlPlaneOptions
}

/** A real control plane: etcd, kube-apiserver and kube-controller-manager, with TLS, RBAC, audit log and ServiceAccount admission on. */
export class ControlPlane implements AsyncDisposable {
  readonly directory: string
  /** URL of the API server. */
  readonly server: string
  /** URL of etcd, which the API server's own client certificate opens. */
  readonly etcdServer: string
  readonly adminKubeconfig: string
  readonly auditLog: string
  readonly #parts: Parts
  readonly #daemons = new Map<'etcd' | 'kube-apiserver' | 'kube-controller-manager', Daemon>()

  private constructor(parts: Parts) {
    this.#parts = parts
    this.directory = parts.directory
    this.server = `https://${parts.address}:${parts.ports.api}`
    this.etcdServer = `https://${parts.address}:${parts.ports.etcd}`
    this.adminKubeconfig = join(parts.directory, 'admin.kubeconfig')
    this.auditLog = join(parts.directory, 'audit.log')
  }

  /** Everything up and `/readyz` answered; below ten seconds once the programs are built. */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const binaries = await controlPlaneBinaries()
    const address = options.address ?? '127.0.0.1'
    const [etcd, peer, api] = await freePorts(3, address)
    const ports = { etcd: etcd!, peer: peer!, api: api! }
    const authority = await CertificateAuthority.create('testbed')
    const directory = await mkdtemp(join(tmpdir(), 'keelson-control-plane-'))
    const plane = new ControlPlane({ directory, binaries, address, ports, authority, options })
    try {
      // 10.96.0.1 is the first of the Services' addresses: `kubernetes`.
      const addresses = [...new Set(['127.0.0.1', address, '10.96.0.1', ...(options.addresses ?? [])])]
      await writeFiles({ directory, server: plane.server, authority, addresses })
      plane.#startEtcd()
      await plane.startApiServer()
      return plane
    } catch (error) {
      await plane[Symbol.asyncDispose]()
      throw error
    }
  }

  #path(name: string): string {
    return join(this.directory, name)
  }

  #daemon(
    name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager',
    flags: Readonly<Record<string, string>>,
    more: readonly string[] = [],
  ): void {
    const argv = [
      join(this.#parts.binaries, name),
      ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
      ...more,
    ]
    this.#daemons.set(name, new Daemon(name, argv, { log: this.#path(`${name}.log`), cwd: this.directory }))
  }

  #startEtcd(): void {
    const { address, ports } = this.#parts
    const client = this.etcdServer
    const peer = `https://${address}:${ports.peer}`
    const tls = {
      'cert-file': this.#path('etcd.crt'),
      'key-file': this.#path('etcd.key'),
      'trusted-ca-file': this.#path('ca.crt'),
    }
    this.#daemon(
      'etcd',
      {
        name: 'testbed',
        'data-dir': this.#path('etcd'),
        'listen-client-urls': client,
        'advertise-client-urls': client,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': `testbed=${peer}`,
        ...tls,
        ...Object.fromEntries(Object.entries(tls).map(([flag, value]) => [`peer-${flag}`, value])),
        'log-level': 'warn',
      },
      // The data lives as long as the test; a power cut of the machine need not be survived.
      ['--client-cert-auth', '--peer-client-cert-auth', '--unsafe-no-fsync'],
    )
  }

  /** Starts the API server on its port and its old data, waits until it is ready, and starts its controller manager. */
  async startApiServer(): Promise<void> {
    const { address, ports, options } = this.#parts
    this.#daemon(
      'kube-apiserver',
      {
        'etcd-servers': this.etcdServer,
        'etcd-cafile': this.#path('ca.crt'),
        'etcd-certfile': this.#path('etcd-client.crt'),
        'etcd-keyfile': this.#path('etcd-client.key'),
        'bind-address': address,
        'advertise-address': address,
        // No pods run here, so no Endpoints of `kubernetes` are needed; they refuse a loopback address.
        'endpoint-reconciler-type': 'none',
        'secure-port': String(ports.api),
        'tls-cert-file': this.#path('apiserver.crt'),
        'tls-private-key-file': this.#path('apiserver.key'),
        'client-ca-file': this.#path('ca.crt'),
        'service-account-issuer': 'https://kubernetes.default.svc',
        'service-account-key-file': this.#path('service-account.pub'),
        'service-account-signing-key-file': this.#path('service-account.key'),
        'service-cluster-ip-range': '10.96.0.0/16',
        'authorization-mode': 'Node,RBAC',
        'enable-admission-plugins': 'NodeRestriction',
        'audit-policy-file': join(import.meta.dirname, 'audit-policy.yaml'),
        'audit-log-path': this.auditLog,
      },
      options.apiServerFlags,
    )
    const daemons = (['etcd', 'kube-apiserver'] as const).map((name) => this.#daemons.get(name)!)
    // One that has ended, over a flag or a port, is not waited for.
    const isDecided = async () => daemons.some(({ running }) => !running) || this.#isReady()
    await eventually('the API server is ready', isDecided, 60_000)
    for (const daemon of daemons) await daemon.assertRunning()
    if (options.controllerManager !== false) this.#startControllerManager()
  }

  async #isReady(): Promise<boolean> {
    const ca = this.#parts.authority.certificate
    const answer = await httpsCall(`${this.server}/readyz`, { ca, timeoutMs: 2_000 }).catch(() => undefined)
    return answer?.status === 200
  }

  #startControllerManager(): void {
    this.#daemon(
      'kube-controller-manager',
      {
        kubeconfig: this.#path('controller-manager.kubeconfig'),
        'service-account-private-key-file': this.#path('service-account.key'),
        'root-ca-file': this.#path('ca.crt'),
        'use-service-account-credentials': 'true',
        'leader-elect': 'false',
        'secure-port': '0',
      },
      this.#parts.options.controllerManagerFlags,
    )
  }

  /** SIGKILL, and waits for the end. The controller manager goes first: it ends for good if its API server does while it starts. */
  async killApiServer(): Promise<void> {
    for (const name of ['kube-controller-manager', 'kube-apiserver'] as const)
      await this.#daemons.get(name)?.stop('SIGKILL')
  }

  /** Compacts etcd up to its present revision, so that older resourceVersions answer 410. */
  async compact(): Promise<void> {
    const range = await this.#etcd('/v3/kv/range', { key: Buffer.from('\0').toString('base64'), limit: 1 })
    const { revision } = (range as { header: { revision: string } }).header
    await this.#etcd('/v3/kv/compaction', { revision, physical: true })
  }

  async #etcd(path: string, request: unknown): Promise<unknown> {
    const [cert, key] = await Promise.all(['crt', 'key'].map((kind) => readFile(this.#path(`etcd-client.${kind}`))))
    const tls = { ca: this.#parts.authority.certificate, cert: cert!, key: key! }
    const { status, body } = await httpsCall(`${this.etcdServer}${path}`, { ...tls, body: JSON.stringify(request) })
    if (status !== 200) throw new Error(`etcd ${path}: ${body}`)
    return JSON.parse(body)
  }

  /** kubectl as administrator, or by another kubeconfig. Never throws for a refusal: look at `exitCode`. */
  async kubectl(
    args: readonly string[],
    options: { input?: string; kubeconfig?: string } = {},
  ): Promise<CommandResult> {
    return runCommand([join(this.#parts.binaries, 'kubectl'), ...args], {
      // Its discovery cache is written below HOME.
      env: { KUBECONFIG: options.kubeconfig ?? this.adminKubeconfig, HOME: this.directory },
      ...(options.input === undefined ? {} : { input: options.input }),
    })
  }

  /** The path of a kubeconfig with a token of that ServiceAccount; namespace and account are made where missing. */
  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const kubectl = (...args: string[]) =>
      mustRun([join(this.#parts.binaries, 'kubectl'), ...args], {
        env: { KUBECONFIG: this.adminKubeconfig, HOME: this.directory },
      })
    for (const create of [
      ['create', 'namespace', namespace],
      ['create', 'serviceaccount', '-n', namespace, name],
    ])
      await kubectl(...create).catch((error: unknown) => {
        if (!String(error).includes('already exists')) throw error
      })
    const { stdout } = await kubectl('create', 'token', '-n', namespace, name, '--duration=24h')
    return this.tokenKubeconfig(`${namespace}.${name}`, stdout.trim())
  }

  /** The path of a kubeconfig with that token; the name makes the file's. */
  async tokenKubeconfig(name: string, token: string): Promise<string> {
    const path = this.#path(`${name}.kubeconfig`)
    await writeFile(path, kubeconfig(this.server, this.#parts.authority.certificate, { token }), { mode: 0o600 })
    return path
  }

  /** The text of a kubeconfig with a client certificate of that subject (RFC 4514): CN is the user's name, each O one of his groups. */
  async certificateKubeconfig(subject: string): Promise<string> {
    const { authority } = this.#parts
    return kubeconfig(this.server, authority.certificate, await authority.issue({ subject, usages: ['client'] }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#daemons.values()].map((daemon) => daemon.stop('SIGKILL')))
    await rm(this.directory, { recursive: true, force: true })
  }
}
