import type { HostRequest } from '@keelson/api'
import { useCallback, useSyncExternalStore } from 'react'
import type { HostRow } from '../../protocol/hosts.ts'
import type { Problem } from '../../protocol/problem.ts'
import type { RequestRow } from '../../protocol/requests.ts'
import { LiveClient, type Connection, type TopicView } from './live-client.ts'

type LiveState = TopicView['state']
export interface LiveItems<Item> {
  readonly state: LiveState
  readonly items: readonly Item[]
  readonly problem?: Problem
}
export interface LiveItem<Item> {
  readonly state: LiveState
  /** Absent with Live or Stale: there is no such object, or no more. */
  readonly item?: Item
  readonly problem?: Problem
}

let refused: () => void = () => {}

/** `ask` is called when the stream is refused: the session may have ended. */
export function onStreamRefused(ask: () => void): void {
  refused = ask
}

/** The one stream of this tab. */
export const liveClient = new LiveClient({
  open: (url) => new EventSource(url),
  later: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds)
    return () => clearTimeout(timer)
  },
  now: () => performance.now(),
  random: () => Math.random(),
  refused: () => refused(),
})

addEventListener('online', () => liveClient.wake())
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') liveClient.wake()
})

function useTopic(topic: string): TopicView {
  const subscribe = useCallback((listener: () => void) => liveClient.subscribe(topic, listener), [topic])
  return useSyncExternalStore(subscribe, () => liveClient.view(topic))
}

function itemsOf<Item>({ state, list, problem }: TopicView): LiveItems<Item> {
  return { state, items: list as readonly unknown[] as readonly Item[], ...(problem === undefined ? {} : { problem }) }
}

/** All hosts, in the order of their names. The array is the same one until a host changes. */
export function useHosts(): LiveItems<HostRow> {
  return itemsOf(useTopic('hosts'))
}

/** All requests that the person may see, in the order of namespace and name. */
export function useRequests(): LiveItems<RequestRow> {
  return itemsOf(useTopic('requests'))
}

/** One HostRequest, whole. */
export function useRequest(namespace: string, name: string): LiveItem<HostRequest> {
  const { state, rows, problem } = useTopic(`request:${namespace}/${name}`)
  const item = rows.get(`${namespace}/${name}`) as HostRequest | undefined
  return { state, ...(item === undefined ? {} : { item }), ...(problem === undefined ? {} : { problem }) }
}

const subscribeConnection = (listener: () => void) => liveClient.subscribeConnection(listener)
const presentConnection = () => liveClient.connection

/** Whether what is shown is true now. */
export function useConnection(): Connection {
  return useSyncExternalStore(subscribeConnection, presentConnection)
}
