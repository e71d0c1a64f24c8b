import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun, runCommand, type CommandResult } from '../command.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { CertificateAuthority, generateKeys, privateKeyPem, publicKeyPem, type KeyPair } from '../pki.ts'
import { controlPlaneBinaries } from './binaries.ts'
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
  readonly etcdClient: KeyPair
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
    const etcdClient = await authority.issue({ subject: 'CN=kube-apiserver-etcd-client', usages: ['client'] })
    const directory = await mkdtemp(join(tmpdir(), 'keelson-control-plane-'))
    const plane = new ControlPlane({ directory, binaries, address, ports, authority, etcdClient, options })
    try {
      await plane.#writeFiles()
      plane.#startEtcd()
      await plane.startApiServer()
      if (options.controllerManager !== false) plane.#startControllerManager()
      return plane
    } catch (error) {
      await plane[Symbol.asyncDispose]()
      throw error
    }
  }

  #path(name: string): string {
    return join(this.directory, name)
  }

  async #writeFiles(): Promise<void> {
    const { authority, address, options } = this.#parts
    const addresses = [...new Set(['127.0.0.1', address, '10.96.0.1', ...(options.addresses ?? [])])]
    const dnsNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
    const signing = await generateKeys()
    const pairs: Record<string, KeyPair> = {
      etcd: await authority.issue({
        subject: 'CN=etcd',
        dnsNames: ['localhost'],
        addresses,
        usages: ['server', 'client'],
      }),
      'etcd-client': this.#parts.etcdClient,
      apiserver: await authority.issue({ subject: 'CN=kube-apiserver', dnsNames, addresses, usages: ['server'] }),
    }
    const users = {
      admin: 'CN=testbed-admin,O=system:masters',
      'controller-manager': 'CN=system:kube-controller-manager',
    }
    const secret = { mode: 0o600 }
    await Promise.all([
      writeFile(this.#path('ca.crt'), authority.certificate),
      writeFile(this.#path('service-account.key'), await privateKeyPem(signing), secret),
      writeFile(this.#path('service-account.pub'), await publicKeyPem(signing)),
      ...Object.entries(pairs).flatMap(([name, pair]) => [
        writeFile(this.#path(`${name}.crt`), pair.certificate),
        writeFile(this.#path(`${name}.key`), pair.key, secret),
      ]),
      ...Object.entries(users).map(async ([name, subject]) => {
        const pair = await authority.issue({ subject, usages: ['client'] })
        await writeFile(this.#path(`${name}.kubeconfig`), kubeconfig(this.server, authority.certificate, pair), secret)
      }),
    ])
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

  /** Starts the API server on its port and its old data; waits until it is ready. */
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
  }

  async #isReady(): Promise<boolean> {
    const { authority } = this.#parts
    return new Promise((resolve) => {
      const probe = request(
        `${this.server}/readyz`,
        { ca: authority.certificate, timeout: 2_000, agent: false },
        (response) => {
          response.resume()
          resolve(response.statusCode === 200)
        },
      )
      probe.on('error', () => resolve(false))
      probe.on('timeout', () => probe.destroy())
      probe.end()
    })
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

  async killApiServer(): Promise<void> {
    await this.#daemons.get('kube-apiserver')?.stop('SIGKILL')
  }

  /** Compacts etcd up to its present revision, so that older resourceVersions answer 410. */
  async compact(): Promise<void> {
    const range = await this.#etcd('/v3/kv/range', { key: Buffer.from('\0').toString('base64'), limit: 1 })
    const { revision } = (range as { header: { revision: string } }).header
    await this.#etcd('/v3/kv/compaction', { revision, physical: true })
  }

  async #etcd(path: string, body: unknown): Promise<unknown> {
    const { authority, etcdClient } = this.#parts
    const options = {
      method: 'POST',
      ca: authority.certificate,
      cert: etcdClient.certificate,
      key: etcdClient.key,
      agent: false,
      timeout: 10_000,
    }
    return new Promise((resolve, reject) => {
      const call = request(`${this.etcdServer}${path}`, options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () =>
          response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`etcd ${path}: ${text}`)),
        )
      })
      call.on('error', reject)
      call.on('timeout', () => call.destroy(new Error(`etcd ${path}: no answer`)))
      call.end(JSON.stringify(body))
    })
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#daemons.values()].map((daemon) => daemon.stop('SIGKILL')))
    await rm(this.directory, { recursive: true, force: true })
  }
}
