import { Writable } from 'node:stream'
import { agentSigner, type Host } from '@keelson/api'
import { kinds, KubeClient, Reflector, type CertificateSigningRequest } from '@keelson/kube'
import { applyManifests } from '@keelson/testbed'
import { pino } from 'pino'
import { hostKind } from '../kinds.ts'
import type { AgentEndpoint } from './agent-connection.ts'
import { Signing, type SigningOptions } from './signing.ts'

/** Of the test world's control plane, what is needed here. */
export type Cluster = {
  readonly adminKubeconfig: string
  kubectl(
    args: readonly string[],
    options?: { input?: string },
  ): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>
}

/** kubectl as administrator; throws with its words unless it succeeds. */
export async function kubectl(cluster: Cluster, args: readonly string[], input = ''): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args, { input })
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trim()
}

/** What a user installs, and the Nodes. */
export async function installKeelson(cluster: Cluster, nodes: readonly string[]): Promise<void> {
  await applyManifests(cluster)
  for (const name of nodes)
    await kubectl(
      cluster,
      ['create', '--filename=-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } }),
    )
}

/** The operator's part that signs, in this process, with the rights of the operator's own account. */
export class RunningSigning implements AsyncDisposable {
  readonly signing: Signing
  /** What it has logged, line by line. */
  readonly log: readonly string[]
  readonly #stop: AbortController
  readonly #ended: Promise<unknown>
  readonly #client: KubeClient

  private constructor(signing: Signing, client: KubeClient, hosts: Reflector<Host>, log: readonly string[]) {
    this.signing = signing
    this.log = log
    this.#client = client
    this.#stop = new AbortController()
    const { signal } = this.#stop
    this.#ended = Promise.all([hosts.run(signal), signing.run(signal)])
  }

  static async start(
    cluster: Cluster,
    options: Partial<SigningOptions> & { endpointOf?: (host: Host) => AgentEndpoint | undefined } = {},
  ): Promise<RunningSigning> {
    const kubeconfig = await cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator')
    const client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'keelson-operator' })
    const log: string[] = []
    const lines = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log.push(chunk.toString())
        done()
      },
    })
    const hosts = new Reflector({ client, kind: hostKind })
    const signing = await Signing.open(
      {
        ...{ client, hosts, random: Math.random, now: () => new Date(), endpointOf: () => undefined },
        ...{ agentLifetimeMs: 3_600_000, intervalMs: 100, logger: pino({ level: 'debug' }, lines) },
        ...options,
      },
      new AbortController().signal,
    )
    return new RunningSigning(signing, client, hosts, log)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#ended
    await this.#client.close()
  }
}

/** Makes a CertificateSigningRequest as whoever the client is. */
export async function ask(
  client: KubeClient,
  pem: string,
  spec: Partial<CertificateSigningRequest['spec']> = {},
): Promise<string> {
  const { metadata } = await client.create(kinds.CertificateSigningRequest, {
    metadata: { name: `test-${crypto.randomUUID()}` },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: agentSigner,
      usages: ['digital signature', 'server auth'],
      ...spec,
    },
  })
  return metadata.name
}
