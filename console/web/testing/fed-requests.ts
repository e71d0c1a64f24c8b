import { createHash } from 'node:crypto'
import { HostRequestSpec, IndexSet, rankText, type HostRequest, type HostRequestStatus } from '@keelson/api'
import type { HostRow } from '../../protocol/hosts.ts'
import type { RequestRow } from '../../protocol/requests.ts'

/** Status codes and texts of hosts are made up, the same ones each time. */
export function fedRequest(row: RequestRow, hosts: readonly HostRow[]): HostRequest {
  const { targets, succeeded, failed, unknown, skipped } = row.counts
  const names = hosts.slice(0, targets).map(({ name }) => name)
  // As the operator sends with canaries: so outcomes stand here and there, and in their waves.
  const order = sendingOrder(names.length, `${row.uid}-1`)
  const set = (from: number, count: number) => IndexSet.of(order.slice(from, from + count)).toString()
  const waves = row.waves === 3 ? [1, '10%', '100%'] : ['100%']
  const groups = row.reasons.map(({ reason, count, message }, index) => ({
    reason,
    ...(reason === 'HTTPStatus' ? { code: 422 } : {}),
    message,
    count,
    sample: order.slice(index, index + Math.min(3, count)).map((number) => names[number] ?? 'worker-0001'),
  }))
  const isSysctlGet = row.method === 'GET'
  const condition = (type: string, holds: boolean) => ({
    ...{ type, status: holds ? ('True' as const) : ('False' as const), reason: reasonOf(row), message: row.msg },
    ...{ lastTransitionTime: row.createdAt, observedGeneration: 1 },
  })
  const status: HostRequestStatus = {
    ...{ state: row.state, msg: row.msg, progress: row.progress, observedGeneration: 1, counts: row.counts },
    run: {
      ...{ id: `${row.uid}-1`, specDigest: 'fed', epoch: 3, round: row.round, wave: row.wave },
      ...(row.startTime === undefined ? {} : { startTime: row.startTime }),
      ...(row.finishTime === undefined ? {} : { finishTime: row.finishTime }),
      claim: row.state === 'RUNNING' ? set(failed + unknown + skipped + succeeded, Math.min(16, targets)) : '',
      targets: { names, digest: 'fed' },
    },
    failed: set(0, failed),
    unknown: set(failed, unknown),
    skipped: set(failed + unknown, skipped),
    succeeded: set(failed + unknown + skipped, succeeded),
    failures: groups.flatMap(({ sample, reason, message }) => sample.map((host) => ({ host, reason, message }))),
    failureGroups: groups,
    answers: isSysctlGet
      ? [
          {
            code: 200,
            body: '{"net.ipv4.ip_forward":"1"}',
            count: Math.max(0, targets - 3),
            sample: names.slice(0, 3),
          },
          { code: 200, body: '{"net.ipv4.ip_forward":"0"} <b>not bold</b>', count: 2, sample: names.slice(3, 5) },
          { code: 200, body: '', count: 1, sample: names.slice(5, 6) },
        ]
      : [],
    ...(row.dryRun ? { dryRun: { request: exactRequest(row) } } : {}),
    history: [
      {
        id: `${row.uid}-0`,
        state: 'ERROR',
        counts: { ...row.counts, succeeded: Math.max(0, targets - 2), failed: 2, unknown: 0, skipped: 0 },
        finishTime: row.createdAt,
      },
    ],
    conditions: [
      condition('Ready', row.state === 'SUCCESS'),
      condition('Reconciling', row.state === 'RUNNING'),
      condition('Stalled', row.state === 'ERROR' || (row.state === 'PAUSED' && !row.suspend)),
      condition('Finished', row.finished),
    ],
  }
  return {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'HostRequest',
    metadata: {
      ...{ name: row.name, namespace: row.namespace, uid: row.uid, generation: 1, resourceVersion: '41' },
      creationTimestamp: row.createdAt,
    },
    spec: HostRequestSpec.parse({
      workers: row.workers === 0 ? [] : names.map((name) => ({ name })),
      http: {
        ...{ port: 7117, api: row.api, method: row.method, targetType: row.targetType },
        parameters: [
          { key: isSysctlGet ? 'key' : 'net.ipv4.ip_forward', value: isSysctlGet ? 'net.ipv4.ip_forward' : '1' },
        ],
      },
      ...{ waves, suspend: row.suspend, dryRun: row.dryRun, onFailure: row.waves === 3 ? 'Pause' : 'Stop' },
    }),
    status,
  }
}

function sendingOrder(targets: number, runId: string): number[] {
  const ranks = Array.from({ length: targets }, (_, index) =>
    createHash('sha256').update(rankText(runId, index)).digest('hex'),
  )
  return ranks.map((_, index) => index).toSorted((a, b) => (ranks[a]! < ranks[b]! ? -1 : 1))
}

/** A request that was made just now, and that the operator has looked at: a dry run. */
export function fedDryRun(
  { namespace, name, spec }: { readonly namespace: string; readonly name: string; readonly spec: unknown },
  hosts: readonly HostRow[],
  now: string,
): HostRequest {
  const parsed = HostRequestSpec.parse(spec)
  const named = new Set(parsed.workers.map((worker) => worker.name))
  const meant = hosts.filter((host) => named.size === 0 || named.has(host.name))
  const offline = meant.filter(({ online }) => online !== 'True').length
  const row: RequestRow = {
    ...{ namespace, name, uid: `uid-${name}`, createdAt: now, startTime: now, finishTime: now, finished: true },
    ...{ method: parsed.http.method, port: parsed.http.port, api: parsed.http.api, targetType: parsed.http.targetType },
    ...{ workers: named.size, dryRun: parsed.dryRun, suspend: false, state: 'SUCCESS', wave: 0, waves: 1, round: 0 },
    msg: `dry run: ${meant.length - offline} hosts would get the request; nothing was sent`,
    progress: `0/${meant.length - offline}`,
    counts: { targets: meant.length, succeeded: 0, failed: 0, unknown: 0, skipped: offline },
    reasons: [],
  }
  return { ...fedRequest(row, meant), spec: parsed }
}

function exactRequest({ method, api }: RequestRow): NonNullable<HostRequestStatus['dryRun']>['request'] {
  if (method === 'GET') return { method, url: `https://{host}:7117${api}?key=net.ipv4.ip_forward`, headers: [] }
  return {
    method,
    url: `https://{host}:7117${api}`,
    headers: ['idempotency-key: 6f1c-1/0/{uid}', 'content-type: application/json'],
    body: '{"net.ipv4.ip_forward":"1"}',
  }
}

function reasonOf({ state, suspend, dryRun }: RequestRow): string {
  if (dryRun) return 'DryRun'
  if (state === 'PAUSED') return suspend ? 'Suspended' : 'WaveFailed'
  return { PENDING: 'Pending', RUNNING: 'Running', SUCCESS: 'Succeeded', ERROR: 'HostsFailed' }[state]
}
