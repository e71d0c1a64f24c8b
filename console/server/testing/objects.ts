import { apiVersion, HostRequestSpec, type Host, type HostRequest, type HostRequestStatus } from '@keelson/api'
import type { z } from 'zod'

const createdAt = '2026-01-02T12:00:00Z'

export function hostNamed(
  name: string,
  more: { readonly message?: string; readonly labels?: Record<string, string> } = {},
): Host {
  const condition = { reason: 'AgentUnreachable', message: more.message ?? '', lastTransitionTime: createdAt } as const
  return {
    apiVersion,
    kind: 'Host',
    metadata: { name, uid: `uid-${name}`, creationTimestamp: createdAt, labels: more.labels ?? {} },
    status: {
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      role: 'Worker',
      conditions: [
        { ...condition, type: 'Online', status: 'True' },
        { ...condition, type: 'Ready', status: 'False' },
      ],
    },
  }
}

export type SpecSketch = Omit<Partial<z.input<typeof HostRequestSpec>>, 'workers' | 'http'> & {
  readonly workers?: readonly string[]
  readonly http?: Partial<z.input<typeof HostRequestSpec>['http']>
}

export function specOf({ workers = [], http = {}, ...rest }: SpecSketch = {}): HostRequestSpec {
  return HostRequestSpec.parse({
    ...rest,
    workers: workers.map((name) => ({ name })),
    http: { port: 8080, api: '/reload', method: 'POST', ...http },
  })
}

export function requestNamed(
  namespace: string,
  name: string,
  spec: SpecSketch = {},
  status?: HostRequestStatus,
): HostRequest {
  const metadata = { namespace, name, uid: `uid-${namespace}-${name}`, generation: 1, creationTimestamp: createdAt }
  return { apiVersion, kind: 'HostRequest', metadata, spec: specOf(spec), ...(status === undefined ? {} : { status }) }
}

export type StatusSketch = Partial<Omit<HostRequestStatus, 'run'>> & {
  readonly run?: Partial<HostRequestStatus['run']>
}

/** A run that has ended well, for these targets; all else as it is sketched. */
export function statusOf(targets: readonly string[], { run, ...rest }: StatusSketch = {}): HostRequestStatus {
  const all = targets.length === 0 ? '' : targets.length === 1 ? '0' : `0-${targets.length - 1}`
  const condition = {
    status: 'True',
    reason: 'Done',
    message: '',
    lastTransitionTime: createdAt,
    observedGeneration: 1,
  } as const
  return {
    state: 'SUCCESS',
    msg: `${targets.length}/${targets.length} hosts answered`,
    progress: `${targets.length}/${targets.length}`,
    observedGeneration: 1,
    counts: { targets: targets.length, succeeded: targets.length, failed: 0, unknown: 0, skipped: 0 },
    run: {
      ...{ id: 'run-1', specDigest: 'spec', startTime: createdAt, finishTime: createdAt },
      ...{
        epoch: 1,
        round: 0,
        wave: 0,
        claim: '',
        targets: { names: [...targets], digest: `digest ${targets.join()}`.slice(0, 63) },
      },
      ...run,
    },
    ...{ succeeded: all, failed: '', unknown: '', skipped: '' },
    ...{ failures: [], failureGroups: [], answers: [], history: [] },
    conditions: [{ ...condition, type: 'Finished' }],
    ...rest,
  }
}
