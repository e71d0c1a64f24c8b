import type { HostRow } from '../../protocol/hosts.ts'

export const hostStates = ['NotReady', 'Offline', 'Unknown', 'Ready'] as const
/** Ready: online, and its agent answers. NotReady: online, its agent does not answer. Offline: its Node is not Ready. Unknown: nobody knows yet. */
export type HostState = (typeof hostStates)[number]

export function hostState({ online, ready }: Pick<HostRow, 'online' | 'ready'>): HostState {
  if (ready === 'True') return 'Ready'
  if (online === 'False') return 'Offline'
  return online === 'Unknown' || ready === 'Unknown' ? 'Unknown' : 'NotReady'
}
