import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Audit, Intent } from '../model/audit.ts'
import { detailText } from './audit-note.ts'
import type { ProblemError } from './problem-error.ts'
import type { AuditNote } from './serve.ts'

interface Entry {
  intent: Intent
  /** Of the intent that waits for its outcome. */
  sequence?: number
  object?: string
  detail?: string
}

/**
 * From a call to its entry in the audit, whichever way it ends. Calls without a session (401), beyond a rate (429) or with input that no handler ever saw
 * (400, 413, 415) leave none: nobody known tried anything, and whoever likes could fill the audit with them.
 */
export class CallTrail {
  readonly #entries = new WeakMap<FastifyRequest, Entry>()
  readonly #log: FastifyBaseLogger

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  /** As far as it is known before the input is read. */
  start(request: FastifyRequest, who: Pick<Intent, 'actor' | 'address' | 'action'>): void {
    this.#entries.set(request, { intent: { ...who, object: request.url.split('?', 1)[0]!, detail: '' } })
  }

  describe(request: FastifyRequest, object: string, detail: string, actor: string): AuditNote {
    const entry = this.#entries.get(request)!
    entry.intent = { ...entry.intent, actor, object, detail }
    return {
      object: (text) => void (entry.object = text),
      detail: (value) => void (entry.detail = detailText(value)),
    }
  }

  /** The call must not go on where this fails. */
  async begin(request: FastifyRequest, audit: Audit): Promise<void> {
    const entry = this.#entries.get(request)!
    entry.sequence = await audit.begin(entry.intent)
  }

  async succeed(request: FastifyRequest, audit: Audit, status: number): Promise<void> {
    await this.#finish(request, audit, { outcome: 'Succeeded', status, message: '' })
  }

  async fail(request: FastifyRequest, audit: Audit, { status, code, message }: ProblemError): Promise<void> {
    const entry = this.#entries.get(request)
    const denied = status === 401 || status === 403
    if (entry?.sequence !== undefined)
      await this.#finish(request, audit, {
        outcome: denied ? 'Denied' : 'Failed',
        status,
        message: `${code}: ${message}`,
      })
    else if (status === 403) {
      const unknown = { actor: '', address: request.ip, action: '', object: request.url.split('?', 1)[0]!, detail: '' }
      await audit.refuse(entry?.intent ?? unknown, { status, message: `${code}: ${message}` })
    }
  }

  async #finish(request: FastifyRequest, audit: Audit, result: Parameters<Audit['finish']>[1]): Promise<void> {
    const { sequence, object, detail } = this.#entries.get(request)!
    if (sequence === undefined) return
    try {
      await audit.finish(sequence, { ...result, object, detail })
    } catch (error) {
      // What was done was done: the answer says so, and the entry stays without an outcome, which becomes Unknown.
      this.#log.error({ err: error, sequence }, 'the outcome of an act could not be written')
    }
  }
}
