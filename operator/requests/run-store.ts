import type { HostRequest, HostRequestStatus } from '@keelson/api'
import { ConflictError, NotFoundError, type KubeClient } from '@keelson/kube'
import type { Logger } from 'pino'
import { timestamp } from '../conditions.ts'
import { hostRequestKind } from '../kinds.ts'
import type { RunStore, Stored, Word } from '../runs/carry-out.ts'
import type { RunRecord } from '../runs/run-record.ts'
import { recordOf } from '../runs/status-record.ts'
import { isFinal, runStatus } from './request-status.ts'
import { runIdOf } from './run-identity.ts'
import type { RunView } from './run-view.ts'

export type RunStoreOptions = {
  readonly client: KubeClient
  /** As it was read when the run began or was taken over. */
  readonly request: HostRequest
  /** What is known of the targets, to be told beside the record. */
  readonly view: (record: RunRecord, word: Word | undefined) => RunView
  /** Told of each object that was read and is still about this run: its spec may steer the run anew. */
  readonly found: (request: HostRequest) => void
  readonly now: () => Date
  readonly logger: Logger
}

/** Keeps the record of a run in the status of its HostRequest. */
export class StatusRunStore implements RunStore {
  readonly #options: RunStoreOptions
  readonly #id: string
  #present: HostRequest

  constructor(options: RunStoreOptions) {
    this.#options = options
    this.#present = options.request
    this.#id = runIdOf(options.request)
  }

  async read(signal: AbortSignal): Promise<Stored | undefined> {
    const { client, request } = this.#options
    const { name, namespace } = request.metadata
    try {
      const found = await client.get(hostRequestKind, { name, namespace }, signal)
      const { status, metadata } = found
      if (metadata.deletionTimestamp !== undefined || runIdOf(found) !== this.#id || status?.run.id !== this.#id)
        return undefined
      this.#present = found
      this.#options.found(found)
      return { record: recordOf(status), version: metadata.resourceVersion ?? '', word: wordOf(status.state) }
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      this.#tell(error, signal)
      throw error
    }
  }

  async write(record: RunRecord, version: string, signal: AbortSignal, word?: Word): Promise<string> {
    const { client, view, now } = this.#options
    const { metadata, status: present } = this.#present
    const status = runStatus(view(record, word), {
      generation: metadata.generation ?? 0,
      run: present!.run,
      present: present?.conditions,
      history: present?.history ?? [],
      now: timestamp(now()),
    })
    const precondition = { ...metadata, resourceVersion: version }
    try {
      this.#present = await client.updateStatus(hostRequestKind, { metadata: precondition, status }, {}, signal)
    } catch (error) {
      this.#tell(error, signal)
      throw error
    }
    return this.#present.metadata.resourceVersion ?? ''
  }

  /** Whoever calls tries again for as long as it takes, so this is where an outage shows. */
  #tell(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    const fields = { run: this.#id, err: error }
    // Somebody else wrote in between, or the object is gone: the ordinary way of things.
    if (error instanceof ConflictError || error instanceof NotFoundError)
      this.#options.logger.debug(fields, 'status changed meanwhile, will be read anew')
    else this.#options.logger.warn(fields, 'status of the run not read or written, will be tried again')
  }
}

function wordOf(state: HostRequestStatus['state']): Word['kind'] | undefined {
  if (isFinal(state)) return 'finished'
  return state === 'PAUSED' ? 'paused' : undefined
}
