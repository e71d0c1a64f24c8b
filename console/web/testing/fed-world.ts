import type { Host, HostRequest } from '@keelson/api'
import type { AuditEntry } from '../../protocol/audit.ts'
import type { HostHistory, HostRow } from '../../protocol/hosts.ts'
import type { RequestRow } from '../../protocol/requests.ts'

/** A fleet in memory, the same one each time for the same numbers. Times are counted back from `now`, in ms since 1970. */
export interface FedWorld {
  readonly hosts: HostRow[]
  readonly requests: RequestRow[]
  readonly audit: AuditEntry[]
  /** Whole requests that were made here, by NAMESPACE/NAME. */
  readonly made: Map<string, HostRequest>
  /** Changes some hosts, and the requests that run; what has changed. */
  step(hosts: number): { readonly hosts: readonly HostRow[]; readonly requests: readonly RequestRow[] }
}

/** mulberry32: the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const systems = ['Debian GNU/Linux 12 (bookworm)', 'Debian GNU/Linux 13 (trixie)', 'Ubuntu 24.04.3 LTS'] as const
const kernels = ['6.1.0-44-amd64', '6.12.43+deb13-amd64', '6.8.0-90-generic'] as const
const zones = ['eu-1a', 'eu-1b', 'eu-1c'] as const

const troubles = [
  {
    online: 'True',
    ready: 'False',
    reason: 'AgentUnreachable',
    message: 'connect ECONNREFUSED: nothing listens on the port of the agent',
  },
  { online: 'False', ready: 'False', reason: 'NodeNotReady', message: 'the Node is not ready: NodeStatusUnknown' },
  { online: 'True', ready: 'Unknown', reason: 'AgentNotAsked', message: 'the agent has not been asked yet' },
  {
    online: 'True',
    ready: 'False',
    reason: 'AgentUnsupported',
    message: 'the agent speaks protocol 2, this operator knows 1',
  },
] as const satisfies readonly Pick<HostRow, 'online' | 'ready' | 'reason' | 'message'>[]

const well = { online: 'True', ready: 'True', reason: '', message: '' } as const

export function fedWorld(size: number, now: number): FedWorld {
  const random = seeded(size)
  const any = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!
  const ago = (seconds: number) => new Date(now - seconds * 1_000).toISOString()
  const hosts = Array.from({ length: size }, (_, index): HostRow => {
    const controls = Math.min(3, Math.ceil(size / 4))
    const system = Math.floor(random() ** 2 * systems.length)
    const worker = index - controls + 1
    const trouble = random() < 0.03 ? any(troubles) : index === size - 2 ? troubles[0] : well
    return {
      name: index < controls ? `control-${index + 1}` : `worker-${String(worker).padStart(4, '0')}`,
      uid: `uid-${index}`,
      role: index < controls ? 'ControlPlane' : 'Worker',
      ...trouble,
      address: `10.${20 + Math.floor(index / 65_000)}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}`,
      os: systems[system]!,
      kernel: kernels[system]!,
      agentVersion: random() < 0.8 ? '0.1.0' : '0.0.9',
      labels: {
        'topology.kubernetes.io/zone': any(zones),
        rack: `r${Math.floor(index / 40) + 1}`,
        ...(random() < 0.1 ? { gpu: 'true' } : {}),
      },
      createdAt: ago(86_400 * (20 + random() * 300)),
    }
  })
  const requests = size === 0 ? [] : fedRequests(size, ago)
  return {
    hosts,
    requests,
    audit: fedAudit(ago),
    made: new Map(),
    step(count) {
      const changed = new Map<string, HostRow>()
      for (let each = 0; each < count && hosts.length > 0; each += 1) {
        const index = Math.floor(random() * hosts.length)
        const state = random() < 0.03 ? any(troubles) : well
        hosts[index] = { ...hosts[index]!, ...state }
        changed.set(hosts[index].name, hosts[index])
      }
      const running = requests.findIndex(({ state }) => state === 'RUNNING')
      const row = requests[running]
      if (row === undefined) return { hosts: [...changed.values()], requests: [] }
      const succeeded = (row.counts.succeeded + Math.ceil(size / 400)) % Math.max(1, size - 40)
      requests[running] = {
        ...row,
        counts: { ...row.counts, succeeded },
        progress: `${succeeded}/${row.counts.targets}`,
        msg: `${succeeded} of ${row.counts.targets} hosts succeeded`,
      }
      return { hosts: [...changed.values()], requests: [requests[running]] }
    },
  }
}

function fedRequests(size: number, ago: (seconds: number) => string): RequestRow[] {
  const one = (
    name: string,
    minutes: number,
    state: RequestRow['state'],
    counts: Partial<RequestRow['counts']>,
    more: Partial<RequestRow> = {},
  ): RequestRow => {
    const all = { targets: size, succeeded: 0, failed: 0, unknown: 0, skipped: 0, ...counts }
    const finished = state === 'SUCCESS' || state === 'ERROR'
    return {
      namespace: 'default',
      name,
      uid: `uid-${name}`,
      createdAt: ago(minutes * 60),
      method: 'POST',
      port: 9_443,
      api: '/v1/sysctl',
      targetType: 'All',
      workers: 0,
      dryRun: false,
      suspend: state === 'PAUSED',
      state,
      finished,
      msg: `${all.succeeded} of ${all.targets} hosts succeeded${all.failed > 0 ? `, ${all.failed} failed` : ''}`,
      progress: `${all.succeeded}/${all.targets}`,
      counts: all,
      wave: 0,
      waves: 1,
      round: 0,
      startTime: ago(minutes * 60 - 1),
      ...(finished ? { finishTime: ago(minutes * 60 - 40) } : {}),
      reasons: [],
      ...more,
    }
  }
  const some = Math.max(1, Math.round(size / 100))
  return [
    one(
      'vm-swappiness',
      2,
      'RUNNING',
      { succeeded: Math.round(size / 3), failed: some },
      {
        ...{ wave: 1, waves: 3 },
        reasons: [{ reason: 'AgentUnreachable', count: some, message: 'the agent does not answer' }],
      },
    ),
    one('read-kernel-parameters', 18, 'SUCCESS', { succeeded: size }, { method: 'GET' }),
    one(
      'set-hostname-on-new-racks',
      47,
      'ERROR',
      {
        targets: Math.min(size, 24),
        succeeded: Math.min(size, 24) - Math.min(size, 3),
        failed: Math.min(size, 2),
        unknown: size > 2 ? 1 : 0,
      },
      {
        ...{ api: '/v1/hostname', workers: Math.min(size, 24) },
        reasons: [
          { reason: 'HTTPStatus', count: Math.min(size, 2), message: 'HTTP 422: the name is not a valid host name' },
          { reason: 'ConnectionLost', count: 1, message: 'the connection was lost before the answer came' },
        ],
      },
    ),
    one(
      'restart-containerd',
      95,
      'PAUSED',
      { succeeded: some, failed: 1 },
      {
        ...{ api: '/v1/systemdUnit', wave: 0, waves: 3 },
        reasons: [{ reason: 'HeadersTimeout', count: 1, message: 'no answer within 10 s' }],
      },
    ),
    one('vm-overcommit-check', 240, 'SUCCESS', { succeeded: size - 1, skipped: 1 }, { dryRun: true }),
    one('open-file-limit', 1_500, 'SUCCESS', { succeeded: size }, { namespace: 'platform' }),
  ]
}

function fedAudit(ago: (seconds: number) => string): AuditEntry[] {
  const actions = [
    ['createRequest', 'hostrequests/default/vm-swappiness', 'Succeeded', 200, ''],
    ['pauseRequest', 'hostrequests/default/restart-containerd', 'Succeeded', 200, ''],
    ['createAccount', 'accounts/lin', 'Denied', 403, 'serviceaccounts is forbidden: User cannot create resource'],
    ['signIn', 'accounts/admin', 'Failed', 401, 'The name or the password is wrong.'],
    ['deleteRequest', 'hostrequests/platform/old-limits', 'Unknown', undefined, ''],
    ['setGrants', 'accounts/mei', 'Succeeded', 200, ''],
  ] as const
  return Array.from({ length: 120 }, (_, index): AuditEntry => {
    const [action, object, outcome, status, message] = actions[index % actions.length]!
    return {
      sequence: 120 - index,
      time: ago(60 + index * 731),
      actor: index % 4 === 2 ? 'mei' : 'admin',
      address: '192.0.2.17',
      action,
      object,
      detail: JSON.stringify({ params: { name: object.split('/').at(-1) }, body: { spec: { dryRun: false } } }),
      outcome,
      ...(status === undefined ? {} : { status, finishedAt: ago(60 + index * 731 - 0.2) }),
      message,
    }
  })
}

/** The Host behind a row. */
export function fedHost(row: HostRow): Host {
  const condition = (type: string, status: HostRow['ready'], reason: string, message: string) => ({
    ...{ type, status, reason, message },
    lastTransitionTime: row.createdAt,
  })
  return {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'Host',
    metadata: { name: row.name, uid: row.uid, creationTimestamp: row.createdAt, labels: row.labels },
    status: {
      addresses: [
        { type: 'InternalIP', address: row.address },
        { type: 'Hostname', address: row.name },
      ],
      role: row.role,
      facts: {
        protocol: 1,
        agentVersion: row.agentVersion,
        hostname: row.name,
        kernelVersion: row.kernel,
        bootID: '3f0c2f4e-0a51-4d4c-9d0c-1f6a1c1f6c11',
        architecture: 'x86_64',
        os: { id: 'debian', versionID: '12', name: row.os },
        types: { hostname: 1, sysctl: 1, systemdUnit: 1 },
      },
      conditions: [
        condition(
          'Online',
          row.online,
          row.online === 'True' ? 'NodeReady' : row.reason,
          row.online === 'True' ? 'the Node is ready' : row.message,
        ),
        condition('Ready', row.ready, row.reason === '' ? 'AgentAnswers' : row.reason, row.message),
      ],
    },
  }
}

export function fedHistory(requests: readonly RequestRow[]): HostHistory {
  const outcomes = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Skipped', 'Untold'] as const
  return {
    requests: requests.map((request, index) => ({
      request,
      outcome: outcomes[index % outcomes.length]!,
      reason: index % outcomes.length === 2 ? 'HTTPStatus' : '',
    })),
  }
}
