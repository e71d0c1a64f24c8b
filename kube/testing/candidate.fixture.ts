import { KubeClient } from '../client.ts'
import { KubeError } from '../errors.ts'
import { runAsLeader } from '../leader-election.ts'
import type { Leadership } from '../leadership.ts'
import { ConfigMap } from './kinds.ts'

/** Arguments of the program: one, JSON. */
export interface CandidateArguments {
  readonly kubeconfig: string
  readonly namespace: string
  readonly lease: string
  readonly times: { readonly leaseMs: number; readonly renewDeadlineMs: number; readonly retryMs: number }
}

/** What the program tells its parent. The parent may send the name of an object, to be made as an act of the leader. */
export type CandidateMessage =
  | { readonly type: 'holder'; readonly identity: string }
  | { readonly type: 'leads' | 'stops'; readonly epoch: number }
  | { readonly type: 'acted'; readonly name: string }
  | { readonly type: 'refused'; readonly name: string; readonly code: string }

const { kubeconfig, namespace, lease, times } = JSON.parse(process.argv[2]!) as CandidateArguments
const stop = new AbortController()
let leadership: Leadership | undefined

function tell(message: CandidateMessage): void {
  process.send?.(message)
}

await using elections = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'candidate' })
await using client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'candidate' })

async function act(name: string): Promise<void> {
  if (leadership === undefined) throw new KubeError({ code: 'Standby', message: 'never led' })
  leadership.assertHeld()
  await client.create(ConfigMap, { metadata: { name, namespace }, data: { epoch: String(leadership.epoch) } })
}

process.once('SIGTERM', () => stop.abort(new Error('SIGTERM')))
process.on('disconnect', () => process.exit(1))
process.on('message', (name: string) => {
  void act(name).then(
    () => tell({ type: 'acted', name }),
    (error: unknown) => tell({ type: 'refused', name, code: error instanceof KubeError ? error.code : String(error) }),
  )
})

await runAsLeader(
  {
    client: elections,
    lease: { namespace, name: lease },
    ...times,
    onHolder: (identity) => tell({ type: 'holder', identity }),
  },
  async (mine) => {
    leadership = mine
    tell({ type: 'leads', epoch: mine.epoch })
    await new Promise((resolve) => mine.signal.addEventListener('abort', resolve, { once: true }))
    tell({ type: 'stops', epoch: mine.epoch })
  },
  stop.signal,
)
process.removeAllListeners('disconnect').disconnect()
