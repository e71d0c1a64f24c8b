import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KubeClient, kinds } from '@keelson/kube'
import { ControlPlane, eventually } from '@keelson/testbed'

const deploy = join(import.meta.dirname, '../../../deploy')

/** A control plane with all that a user installs of the console's rights, and the first administrator. Controllers run: Secrets get their tokens. */
export class AccessCluster implements AsyncDisposable {
  readonly controlPlane: ControlPlane
  /** system:masters. */
  readonly root: KubeClient
  readonly #clients = new Map<string, KubeClient>()

  private constructor(controlPlane: ControlPlane, root: KubeClient) {
    this.controlPlane = controlPlane
    this.root = root
  }

  static async start(): Promise<AccessCluster> {
    await using stack = new AsyncDisposableStack()
    const controlPlane = stack.use(await ControlPlane.start())
    const root = await KubeClient.fromKubeconfig(controlPlane.adminKubeconfig, { fieldManager: 'test' })
    const cluster = stack.use(new AccessCluster(controlPlane, root))
    await cluster.kubectl('create', 'namespace', 'keelson-system')
    for (const folder of ['crds', 'rbac', 'console'])
      for (const file of (await readdir(join(deploy, folder))).toSorted())
        await cluster.kubectl('apply', '--server-side', '--filename', join(deploy, folder, file))
    await cluster.#inForce()
    stack.move()
    return cluster
  }

  /** A client with a token of that account of keelson-users, which is made where it is missing. */
  async as(account: string): Promise<KubeClient> {
    const known = this.#clients.get(account)
    if (known !== undefined) return known
    const kubeconfig = await this.controlPlane.serviceAccountKubeconfig('keelson-users', account)
    const client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'keelson-console' })
    this.#clients.set(account, client)
    return client
  }

  /** As system:masters. @throws Error with kubectl's words. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.controlPlane.kubectl(args)
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Policies count some seconds after they are made, and so do rights. */
  async #inForce(): Promise<void> {
    const admin = await this.as('admin')
    const outside = { metadata: { name: 'outside' }, rules: [] }
    const refused = async (attempt: Promise<unknown>, words: string) =>
      attempt.then(
        () => false,
        (error: unknown) => String(error).includes(words),
      )
    await eventually('the policy keelson-access.keelson.dev is in force', () =>
      refused(admin.create(kinds.ClusterRole, outside, { dryRun: true }), 'keelson-user:'),
    )
    const slip = {
      metadata: { name: 'slip' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'admin', namespace: 'keelson-users' }],
    } as const
    await eventually('the policy keelson-users-cluster-admin.keelson.dev is in force', () =>
      refused(this.root.create(kinds.ClusterRoleBinding, slip, { dryRun: true }), 'cluster-admin'),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.root, ...this.#clients.values()].map((client) => client.close()))
    await this.controlPlane[Symbol.asyncDispose]()
  }
}
