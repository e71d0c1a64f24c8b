import { createHash } from 'node:crypto'

/** What a stream's reader has: of these topics, as seen by one account within its rights, everything up to a revision of one process. */
export interface ResumePoint {
  /** Of the process: another one counts otherwise. */
  readonly epoch: string
  readonly revision: number
  /** See {@link coverageOf}. */
  readonly covered: ReadonlySet<string>
}

const pattern = /^([A-Za-z0-9_-]{1,32})\.([0-9]{1,15})\.((?:[A-Za-z0-9_-]{11})*)$/
const coverageLength = 11
const maxLength = 512

/** Names a topic as one account may see it; with other rights, or another account, it is another one. */
export function coverageOf(account: string, topic: string, scope: string): string {
  const text = JSON.stringify([account, topic, scope])
  return createHash('sha256').update(text).digest('base64url').slice(0, coverageLength)
}

export function formatResumeId({ epoch, revision, covered }: ResumePoint): string {
  return `${epoch}.${revision}.${[...covered].join('')}`
}

/** Undefined for whatever is none of ours: a browser sends what it has. */
export function parseResumeId(text: string | undefined): ResumePoint | undefined {
  if (text === undefined || text.length > maxLength) return undefined
  const [, epoch, revision, covered] = pattern.exec(text) ?? []
  if (epoch === undefined || covered === undefined) return undefined
  const parts = Array.from({ length: covered.length / coverageLength }, (_, index) =>
    covered.slice(index * coverageLength, (index + 1) * coverageLength),
  )
  return { epoch, revision: Number(revision), covered: new Set(parts) }
}
