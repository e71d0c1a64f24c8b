import { HostRequestSpec, type HostRequest, type HostRequestStatus } from '@keelson/api'

const counts = { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 }

type Run = HostRequestStatus['run']

/** A request of four named hosts under way, changed as a test wants it. */
export function request(
  spec: Partial<HostRequestSpec> = {},
  status: Partial<Omit<HostRequestStatus, 'run'>> & {
    readonly run?: Partial<Omit<Run, 'startTime'>> & { readonly startTime?: string | undefined }
  } = {},
): HostRequest {
  const http = { port: 7117, api: '/v1/sysctl', method: 'POST', parameters: [{ key: 'vm.swappiness', value: '10' }] }
  const names = ['a', 'b', 'c', 'd']
  return {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'HostRequest',
    metadata: { name: 'swap', namespace: 'default', uid: 'u', generation: 1, resourceVersion: '7' },
    spec: { ...HostRequestSpec.parse({ workers: [], http }), ...spec },
    status: {
      ...{ state: 'RUNNING', msg: '', progress: '0/4', observedGeneration: 1, counts: { ...counts, targets: 4 } },
      ...{ succeeded: '', failed: '', unknown: '', skipped: '' },
      ...{ failures: [], failureGroups: [], answers: [], history: [], conditions: [] },
      ...status,
      run: {
        ...{ id: 'u-1', specDigest: 's', startTime: '2026-01-01T00:00:00Z', epoch: 1, round: 0, wave: 0, claim: '' },
        targets: { names, digest: 'd' },
        ...status.run,
      },
    },
  }
}
