import type { Problem } from '../../../protocol/problem.ts'
import type { Entry } from './collection.ts'

/** One server-sent event; its data is a LiveEvent of the protocol. */
export interface Frame {
  readonly type: 'snapshot' | 'changes' | 'denied' | 'lag'
  readonly data: string
}

/** Rows in one event: few enough that their text lives and dies among the young objects of the heap. */
const pageSize = 100

/** The whole of a topic, in pages; one at least, or nobody would know that there is nothing. */
export function* snapshotFrames(topic: string, rows: readonly string[]): Generator<Frame> {
  for (let start = 0; start === 0 || start < rows.length; start += pageSize) {
    const items = rows.slice(start, start + pageSize)
    yield { type: 'snapshot', data: snapshotData(topic, items, start === 0, start + pageSize >= rows.length) }
  }
}

function snapshotData(topic: string, items: readonly string[], reset: boolean, last: boolean): string {
  return `{"type":"snapshot","topic":${JSON.stringify(topic)},"reset":${reset},"items":[${items.join()}],"last":${last}}`
}

/** What has changed, in pages; none where nothing has. */
export function* changeFrames(
  topic: string,
  upserts: readonly Pick<Entry, 'json'>[],
  removals: readonly string[],
): Generator<Frame> {
  for (let start = 0; start < Math.max(upserts.length, removals.length); start += pageSize) {
    const rows = upserts.slice(start, start + pageSize).map(({ json }) => json)
    const gone = JSON.stringify(removals.slice(start, start + pageSize))
    const data = `{"type":"changes","topic":${JSON.stringify(topic)},"upserts":[${rows.join()}],"removals":${gone}}`
    yield { type: 'changes', data }
  }
}

export function deniedFrame(topic: string, problem: Problem): Frame {
  return { type: 'denied', data: JSON.stringify({ type: 'denied', topic, problem }) }
}

export function lagFrame(connected: boolean, sinceSeconds: number): Frame {
  return { type: 'lag', data: JSON.stringify({ type: 'lag', connected, sinceSeconds }) }
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html; data is JSON, so it holds no line ends. */
export function eventText({ type, data }: Frame, id: string | undefined): string {
  return `event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
}
