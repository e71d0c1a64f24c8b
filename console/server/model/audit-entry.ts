import { defineEntity, p } from '@mikro-orm/sql'
import { outcomes } from '../../protocol/audit.ts'

/** One act: its intent is inserted whole, its outcome set whole by one statement, once. Nothing else ever changes a row. */
export const AuditEntry = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entries',
  properties: {
    sequence: p.integer().primary().autoincrement(),
    time: p.datetime(3).index(),
    actor: p.string().length(63).index(),
    address: p.string().length(63),
    action: p.string().length(63),
    object: p.string().length(512),
    detail: p.string().length(2048),
    outcome: p.enum(outcomes).index(),
    status: p.integer().nullable(),
    message: p.string().length(1024),
    finishedAt: p.datetime(3).nullable(),
    /** Which process of the console does it: after that one's end what is Pending is Unknown. */
    process: p.string().length(32),
  },
})
