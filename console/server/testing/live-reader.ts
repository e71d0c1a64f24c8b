import { LiveEvent } from '../../protocol/live.ts'

interface Row {
  readonly name?: string
  readonly namespace?: string
  readonly metadata?: { readonly name: string; readonly namespace?: string }
}

/** What a page makes of a stream: rows by topic, and the id of the last event that bore one. */
export class LiveReader {
  readonly topics = new Map<string, Map<string, Row>>()
  readonly denied = new Map<string, string>()
  readonly events: LiveEvent[] = []
  lastEventId: string | undefined
  #rest = ''

  /** Any piece of the stream. */
  take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop()!
    for (const block of blocks) this.#block(block)
  }

  /** The connection is gone, half of an event with it. */
  cut(): void {
    this.#rest = ''
  }

  rows(topic: string): Record<string, unknown> {
    return Object.fromEntries([...(this.topics.get(topic) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  names(topic: string): string[] {
    return Object.keys(this.rows(topic))
  }

  #block(block: string): void {
    const fields = new Map<string, string>()
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([a-z]*):? ?(.*)$/s.exec(line) ?? []
      fields.set(name, value)
    }
    const data = fields.get('data')
    if (data === undefined) return
    this.lastEventId = fields.get('id') ?? this.lastEventId
    const event = LiveEvent.parse({ ...(JSON.parse(data) as object), type: fields.get('event') })
    this.events.push(event)
    this.#apply(event)
  }

  #apply(event: LiveEvent): void {
    if (event.type === 'lag') return
    const { topic } = event
    if (event.type === 'denied') {
      this.denied.set(topic, event.problem.code)
      this.topics.delete(topic)
      return
    }
    this.denied.delete(topic)
    if (event.type === 'snapshot' && event.reset) this.topics.set(topic, new Map())
    const rows = this.topics.get(topic)
    if (rows === undefined) throw new Error(`${topic}: an event before its snapshot`)
    for (const row of event.type === 'snapshot' ? event.items : event.upserts) rows.set(keyOf(row), row)
    if (event.type === 'changes') for (const key of event.removals) rows.delete(key)
  }
}

function keyOf(row: Row): string {
  const { name, namespace } = row.metadata ?? row
  return namespace === undefined ? `${name}` : `${namespace}/${name}`
}
