import type { HostRequest } from '@keelson/api'
import type { EventRecorder } from '@keelson/kube'
import type { Logger } from 'pino'
import { hostRequestKind } from '../kinds.ts'
import type { OperatorMetrics } from '../metrics/operator-metrics.ts'
import type { Refusal, Verdict } from './verdict.ts'

export type RunReporterOptions = {
  readonly logger: Logger
  readonly events: Pick<EventRecorder, 'record'>
  readonly metrics: Pick<OperatorMetrics, 'add'>
}

type Subject = {
  readonly key: string
  readonly request: HostRequest
  /** Its id. */
  readonly run: string
}

/** Tells what becomes of runs: to the log, as Events of their HostRequest, and by number. */
export class RunReporter {
  readonly #options: RunReporterOptions

  constructor(options: RunReporterOptions) {
    this.#options = options
  }

  begun({ key, request, run }: Subject, hosts: number): void {
    const { logger, metrics } = this.#options
    logger.info({ key, run, hosts }, 'run begun')
    metrics.add('keelson_runs_begun_total', {}, 1)
    this.#record(request, 'Normal', 'RunBegun', `run ${run}: ${hosts} hosts`)
  }

  ended({ key, request, run }: Subject, { state, reason, msg }: Verdict): void {
    const { logger, metrics } = this.#options
    logger.info({ key, run, state, reason }, 'run ended')
    metrics.add('keelson_runs_ended_total', { reason }, 1)
    this.#record(request, state === 'SUCCESS' ? 'Normal' : 'Warning', reason, msg)
  }

  paused({ key, request, run }: Subject, { reason, msg }: Verdict): void {
    this.#options.logger.info({ key, run, reason }, 'run paused')
    this.#record(request, reason === 'Suspended' ? 'Normal' : 'Warning', reason, msg)
  }

  /** What was not to be sent at all. */
  refused({ key, request, run }: Subject, { reason, msg }: Refusal): void {
    const { logger, metrics } = this.#options
    logger.info({ key, run, reason }, 'run refused')
    metrics.add('keelson_runs_refused_total', { reason }, 1)
    this.#record(request, 'Warning', reason, msg)
  }

  /** Somebody must act before the run goes on. */
  heldUp({ key, request, run }: Subject, { reason, msg }: Refusal): void {
    this.#options.logger.warn({ key, run, reason }, 'run held up')
    this.#record(request, 'Warning', reason, msg)
  }

  rests({ key, run }: Subject): void {
    this.#options.logger.info({ key, run }, 'run at rest, its record tells how to go on')
  }

  endedEarly({ key, run }: Pick<Subject, 'key' | 'run'>): void {
    this.#options.logger.info({ key, run }, 'run ended early: its request changed or is gone')
  }

  failed({ key, run }: Subject, error: unknown): void {
    this.#options.logger.error({ key, run, err: error }, 'run failed, will be carried on')
  }

  #record(request: HostRequest, type: 'Normal' | 'Warning', reason: string, note: string): void {
    this.#options.events.record(hostRequestKind, request, { type, reason, action: 'Run', note })
  }
}
