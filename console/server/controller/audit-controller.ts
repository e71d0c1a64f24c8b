import { Readable } from 'node:stream'
import { group } from '@keelson/api'
import { exportAudit, listAudit } from '../../protocol/audit.ts'
import type { Clock } from '../clock.ts'
import type { Stream } from '../create-console.ts'
import type { Audit } from '../model/audit.ts'
import { csvLines, ndjsonLines, type EntryPages } from './audit-file.ts'
import { inputOf } from './input.ts'
import { ProblemError } from './problem-error.ts'
import type { Caller, Controller } from './serve.ts'

/** Whether an account has a right, as Kubernetes says. */
export interface RightGate {
  allows(
    account: string,
    act: { readonly verb: string; readonly group: string; readonly resource: string },
    signal: AbortSignal,
  ): Promise<boolean>
}

export interface AuditParts {
  readonly audit: Audit
  readonly gate: RightGate
  readonly clock: Clock
}

const exportDeadlineMs = 300_000
const maxExported = 100_000
const pageSize = 500

export function auditController({ audit, gate }: AuditParts): Controller {
  return (serve) => {
    serve(listAudit, async ({ query: { before, limit, ...filter }, caller, signal }) => {
      await demandRight(gate, caller, signal)
      const entries = await audit.list(filter, { before, limit: limit + 1 })
      return { entries: entries.slice(0, limit), more: entries.length > limit }
    })
  }
}

/** The export flows page by page: 100,000 entries do not lie in memory at once. */
export function auditExport({ audit, gate, clock }: AuditParts): Stream {
  return (app, session) => {
    app.get(exportAudit.path, async (request, reply) => {
      const caller = await session(request)
      const { format, ...filter } = inputOf(exportAudit, request).query
      const signal = AbortSignal.timeout(exportDeadlineMs)
      await demandRight(gate, caller, signal)
      const pages: EntryPages = async function* () {
        let before: number | undefined
        for (let count = 0; count < maxExported;) {
          signal.throwIfAborted()
          const page = await audit.list(filter, { before, limit: Math.min(pageSize, maxExported - count) })
          if (page.length === 0) return
          yield page
          count += page.length
          before = page.at(-1)!.sequence
        }
      }
      const day = clock.now().toISOString().slice(0, 10)
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="keelson-audit-${day}.${format}"`)
        .send(Readable.from(format === 'csv' ? csvLines(pages) : ndjsonLines(pages)))
    })
  }
}

/** Nothing is stored under that name: it is there for this right. */
async function demandRight(gate: RightGate, { name }: Caller, signal: AbortSignal): Promise<void> {
  if (await gate.allows(name, { verb: 'get', group, resource: 'audits' }, signal)) return
  const message = `${name} may not read the audit: that takes the right to get audits.${group}, as in the role keelson-access`
  throw new ProblemError(403, { code: 'Forbidden', message })
}
