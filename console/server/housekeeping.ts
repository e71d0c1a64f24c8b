import type { FastifyBaseLogger } from 'fastify'
import { setInterval as every } from 'node:timers/promises'
import type { Audit } from './model/audit.ts'
import type { Sessions } from './model/sessions.ts'

const intervalMs = 600_000

export interface Housekeeping {
  readonly audit: Audit
  readonly sessions: Sessions
  readonly auditRetentionDays: number
  readonly log: FastifyBaseLogger
}

/** Takes out of the database what is over. Runs until the signal is aborted; what fails is tried again next time. */
export async function keepHouse(
  { audit, sessions, auditRetentionDays, log }: Housekeeping,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of every(intervalMs, undefined, { signal })) {
      try {
        await sessions.sweep()
        await audit.settleAbandoned({ alone: false })
        await audit.forget(auditRetentionDays)
      } catch (error) {
        log.warn({ err: error }, 'what is over could not be taken out of the database')
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
