import { KubeClient, loadInCluster, loadKubeconfig } from '@keelson/kube'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import { accessController } from './controller/access-controller.ts'
import { auditController, auditExport } from './controller/audit-controller.ts'
import { hostsController } from './controller/hosts-controller.ts'
import { liveStream } from './controller/live.ts'
import { permissionsController } from './controller/permissions-controller.ts'
import { requestsController } from './controller/requests-controller.ts'
import type { Controller } from './controller/serve.ts'
import type { Stream } from './create-console.ts'
import type { Accounts } from './model/accounts.ts'
import type { Audit } from './model/audit.ts'
import { Accounts as PersonalAccounts } from './service/accounts/accounts.ts'
import { Tokens } from './service/accounts/tokens.ts'
import { Gate } from './service/gate.ts'
import { LiveStore } from './service/live/live-store.ts'
import { PersonClients } from './service/person-clients.ts'
import { fieldManager } from './service/users.ts'

export interface ClusterParts {
  readonly configuration: Configuration
  readonly accounts: Accounts
  readonly audit: Audit
  readonly log: Logger
  readonly clock: Clock
}

/** All that speaks with Kubernetes. */
export interface Cluster extends AsyncDisposable {
  readonly controllers: readonly Controller[]
  readonly streams: readonly Stream[]
  /** What was not read yet; undefined: everything was read once. */
  waitingFor(): string | undefined
  /** Watches until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
}

/** Reads the credentials and begins nothing yet. @throws KubeError where they cannot be read */
export async function connectCluster({ configuration, accounts, audit, log, clock }: ClusterParts): Promise<Cluster> {
  const { kubeconfig, kubernetesPublicUrl } = configuration
  const access = kubeconfig === undefined ? await loadInCluster() : await loadKubeconfig(kubeconfig)
  await using stack = new AsyncDisposableStack()
  const client = stack.use(new KubeClient({ ...access, fieldManager }))
  const people = stack.use(new PersonClients({ client, cluster: access }))
  const gate = new Gate({ client, people })
  const store = new LiveStore({ client, logger: log })
  const shared = { people, gate, store }
  const personal = new PersonalAccounts({ clients: people, gate, records: accounts })
  const publicCluster = { server: kubernetesPublicUrl?.origin ?? access.server, ca: access.ca }
  const tokens = new Tokens({ clients: people, accounts: personal, cluster: publicCluster, now: clock.now })
  const auditParts = { audit, gate, clock }
  let synced = false
  const kept = stack.move()
  return {
    controllers: [
      permissionsController(shared),
      hostsController(shared),
      requestsController(shared),
      accessController(personal, tokens),
      auditController(auditParts),
    ],
    streams: [liveStream(shared), auditExport(auditParts)],
    waitingFor: () => (synced ? undefined : 'the lists of hosts and requests'),
    run: async (signal) => {
      const first = store.synced(signal).then(
        () => void (synced = true),
        () => {},
      )
      await Promise.all([store.run(signal), first])
    },
    [Symbol.asyncDispose]: async () => kept.disposeAsync(),
  }
}
