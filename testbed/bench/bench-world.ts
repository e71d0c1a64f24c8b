import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiVersion, operatorIdentities, type Host } from '@keelson/api'
import { bundleExecutable } from '@keelson/cli/bundle'
import { defineKind, KubeClient, kinds, Reflector } from '@keelson/kube'
import { ControlPlane } from '../control-plane/control-plane.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'
import { applyManifests, policyInForceMs } from '../world/manifests.ts'
import type { Fleet } from './fleet.ts'
import { partLabel, type Member } from './member.ts'
import type { Subprocess } from './subprocess.ts'

const hostKind = defineKind<Host>({ apiVersion, kind: 'Host', plural: 'hosts', namespaced: false })
/** As many Nodes are written at a time. */
const writers = 32

/** A real control plane, a Node for each simulated host, and the operator as a process of its own. Inside a capsule only. */
export class BenchWorld implements AsyncDisposable {
  readonly cluster: ControlPlane
  readonly client: KubeClient
  /** Resolves when the operator takes requests for judged. */
  readonly policyInForce = sleep(policyInForceMs)
  readonly #stack: AsyncDisposableStack
  readonly #hosts: Reflector<Host>
  readonly #stop = new AbortController()
  #operator: Daemon | undefined

  private constructor(cluster: ControlPlane, client: KubeClient, stack: AsyncDisposableStack) {
    this.cluster = cluster
    this.client = client
    this.#stack = stack
    this.#hosts = new Reflector({ client, kind: hostKind })
  }

  static async start(): Promise<BenchWorld> {
    await using stack = new AsyncDisposableStack()
    // No controller manager: it would call Nodes unready that no kubelet speaks for.
    const cluster = stack.use(await ControlPlane.start({ controllerManager: false }))
    const client = stack.use(await KubeClient.fromKubeconfig(cluster.adminKubeconfig, { fieldManager: 'bench' }))
    await applyManifests(cluster)
    const world = new BenchWorld(cluster, client, stack.move())
    world.#hosts.run(world.#stop.signal).catch(() => {})
    return world
  }

  /** The folder with the operator's certificate, of the fleet's own authority. */
  async certificates(fleet: Subprocess<Fleet>): Promise<string> {
    const folder = join(this.cluster.directory, 'bench-tls')
    await mkdir(folder)
    const { certificate, key } = await fleet.ask('client', operatorIdentities.request)
    const files = { 'ca.crt': await fleet.ask('root'), 'tls.crt': certificate, 'tls.key': key }
    for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem, { mode: 0o600 })
    return folder
  }

  /** A Node for each, as its kubelet would register it; ready for good. */
  async addNodes(members: readonly Member[], isPart: (member: Member) => boolean): Promise<void> {
    const rest = members.values()
    const writer = async () => {
      for (const member of rest) {
        const { name, address } = member
        const labels = { 'kubernetes.io/hostname': name, [partLabel]: isPart(member) ? 'small' : 'rest' }
        await this.client.apply(kinds.Node, { metadata: { name, labels } }, { force: true })
        const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'of the bench' }
        const status = { addresses: [{ type: 'InternalIP', address }], conditions: [ready] }
        await this.client.apply(kinds.Node, { metadata: { name }, status }, { force: true, subresource: 'status' })
      }
    }
    await Promise.all(Array.from({ length: writers }, writer))
  }

  /** The executable as it ships, as a process under its own account, with the flag of docs/operator.md; it asks for facts once and then not again while the bench lasts. */
  async startOperator(certificates: string): Promise<void> {
    const kubeconfig = await this.cluster.serviceAccountKubeconfig('keelson-system', 'keelson-operator')
    const flags = [
      `--kubeconfig=${kubeconfig}`,
      `--tls=${certificates}`,
      '--allow-loopback',
      '--facts-interval-seconds=3600',
    ]
    await bundleExecutable(dirname(this.executable))
    const argv = [process.execPath, '--max-semi-space-size=8', this.executable, 'operator', ...flags]
    this.#operator = this.#stack.use(new Daemon('operator', argv, { log: this.operatorLog }))
  }

  /** There once the operator was started. */
  get executable(): string {
    return join(this.cluster.directory, 'program/keelson.mjs')
  }

  get operatorLog(): string {
    return join(this.cluster.directory, 'operator.log')
  }

  get operatorPid(): number {
    return this.#operator!.pid
  }

  async stopOperator(): Promise<void> {
    await this.#operator?.stop('SIGTERM')
  }

  /** Waits until that many Hosts say of their agents whether they answer. */
  async hostsSay(reason: 'AgentAnswers' | 'AgentUnreachable', count: number): Promise<void> {
    const says = ({ status }: Host) =>
      status?.conditions.some((found) => found.type === 'Ready' && found.reason === reason)
    const all = async () => {
      await this.#operator?.assertRunning()
      return this.#hosts.store.list().filter(says).length === count
    }
    await eventually(`${count} Hosts say ${reason}`, all, 300_000, 250)
  }

  /** How often the operator wrote the status of each of these requests, as the API server's audit log has it. */
  async statusWrites(names: readonly string[]): Promise<number[]> {
    const writes = (await readFile(this.cluster.auditLog, 'utf8'))
      .split('\n')
      .filter((line) => /"verb":"(update|patch)"/.test(line) && /"code":2\d\d/.test(line))
    return names.map((name) => writes.filter((line) => line.includes(`/hostrequests/${name}/status`)).length)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#stack.disposeAsync()
  }
}
