import type { Host } from '@keelson/api'
import type { HostRow } from '../../../protocol/hosts.ts'

/** A Host as lists show it. */
export function hostRowOf({ metadata, status }: Host): HostRow {
  const condition = (wanted: string) => status?.conditions.find(({ type }) => type === wanted)
  const ready = condition('Ready')
  const isReady = ready?.status === 'True'
  const { facts } = status ?? {}
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    role: status?.role ?? 'Worker',
    online: condition('Online')?.status ?? 'Unknown',
    ready: ready?.status ?? 'Unknown',
    reason: isReady ? '' : (ready?.reason ?? ''),
    message: isReady ? '' : (ready?.message ?? ''),
    address: status?.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '',
    os: facts?.os.name ?? '',
    kernel: facts?.kernelVersion ?? '',
    agentVersion: facts?.agentVersion ?? '',
    labels: metadata.labels ?? {},
    createdAt: metadata.creationTimestamp ?? '',
  }
}
