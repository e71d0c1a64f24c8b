import { KubeClient, kinds, loadKubeconfig, type ClientConfiguration, type ResourceAttributes } from '@keelson/kube'
import { applyManifests, ControlPlane, eventually } from '@keelson/testbed'

const users = 'keelson-users'

/** A control plane with all that a user installs of the console's rights, and the first administrator. Controllers run: Secrets get their tokens. */
export class AccessCluster implements AsyncDisposable {
  readonly controlPlane: ControlPlane
  /** How the API server is reached, without credentials. */
  readonly server: Pick<ClientConfiguration, 'server' | 'ca'>
  /** system:masters. */
  readonly root: KubeClient
  readonly #clients = new Map<string, KubeClient>()

  private constructor(controlPlane: ControlPlane, { server, ca }: ClientConfiguration, root: KubeClient) {
    this.controlPlane = controlPlane
    this.server = { server, ca }
    this.root = root
  }

  static async start(): Promise<AccessCluster> {
    await using stack = new AsyncDisposableStack()
    const controlPlane = stack.use(await ControlPlane.start())
    const configuration = await loadKubeconfig(controlPlane.adminKubeconfig)
    const root = new KubeClient({ ...configuration, fieldManager: 'test' })
    const cluster = new AccessCluster(controlPlane, configuration, root)
    stack.defer(() => cluster.#closeClients())
    await applyManifests(controlPlane)
    await cluster.#inForce()
    stack.move()
    return cluster
  }

  /** A client of that account of keelson-users, which has to be there when the first call is made. */
  for(account: string): KubeClient {
    const known = this.#clients.get(account)
    if (known !== undefined) return known
    const token = async () => (await this.root.createToken(users, account, { expirationSeconds: 600 })).token
    const credentials = { tokenSource: { token, refused: () => {} } }
    const client = new KubeClient({ ...this.server, credentials, fieldManager: 'keelson-console' })
    this.#clients.set(account, client)
    return client
  }

  /** Whether an account of keelson-users may do that, as the API server says. */
  async allows(account: string, resourceAttributes: ResourceAttributes): Promise<boolean> {
    const user = `system:serviceaccount:${users}:${account}`
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${users}`, 'system:authenticated']
    const { status } = await this.root.review(kinds.SubjectAccessReview, { spec: { user, groups, resourceAttributes } })
    return status?.allowed === true
  }

  /** As system:masters. @throws Error with kubectl's words. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.controlPlane.kubectl(args)
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** An account that may manage accounts and nothing else. */
  async addClerk(name: string): Promise<void> {
    const subject = `--serviceaccount=${users}:${name}`
    await this.kubectl('create', 'serviceaccount', name, `--namespace=${users}`)
    await this.kubectl('create', 'clusterrolebinding', name, '--clusterrole=keelson-access', subject)
    await this.kubectl('create', 'rolebinding', name, '--role=keelson-access', `--namespace=${users}`, subject)
    const token = { group: '', resource: 'serviceaccounts', subresource: 'token', namespace: users, verb: 'create' }
    await eventually(`${name} has the rights`, () => this.allows(name, token))
  }

  /** Policies count some seconds after they are made, and so do rights. */
  async #inForce(): Promise<void> {
    const refused = async (attempt: Promise<unknown>, words: string) =>
      attempt.then(
        () => false,
        (error: unknown) => String(error).includes(words),
      )
    const outside = { metadata: { name: 'outside' }, rules: [] }
    await eventually('the policy keelson-access.keelson.dev is in force', () =>
      refused(this.for('admin').create(kinds.ClusterRole, outside, { dryRun: true }), 'keelson-user:'),
    )
    const slip = {
      metadata: { name: 'slip' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'admin', namespace: users }],
    } as const
    await eventually('the policy keelson-users-cluster-admin.keelson.dev is in force', () =>
      refused(this.root.create(kinds.ClusterRoleBinding, slip, { dryRun: true }), 'cluster-admin'),
    )
  }

  async #closeClients(): Promise<void> {
    await Promise.all([this.root, ...this.#clients.values()].map((client) => client.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeClients()
    await this.controlPlane[Symbol.asyncDispose]()
  }
}
