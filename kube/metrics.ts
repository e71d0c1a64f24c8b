export interface MetricDescription {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[]
}

/** From 1 ms to 10 min; a reconcile is somewhere in between. */
const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600] as const

/**
 * What this package measures. Names and labels are those of client-go and controller-runtime where these have one, so that their dashboards and alerts
 * fit; the rest has the prefix of what it is about.
 */
export const metrics = {
  rest_client_requests_total: {
    type: 'counter',
    help: 'Requests to the API server, watches included. Code is the HTTP status, or <error> where no answer came.',
    labels: ['code', 'method'],
  },
  workqueue_depth: { type: 'gauge', help: 'Keys that wait to be taken.', labels: ['name'] },
  workqueue_adds_total: { type: 'counter', help: 'Keys put into the queue.', labels: ['name'] },
  workqueue_retries_total: { type: 'counter', help: 'Keys put back after a failure.', labels: ['name'] },
  workqueue_queue_duration_seconds: {
    type: 'histogram',
    help: 'How long a key waited in the queue.',
    labels: ['name'],
    buckets: seconds,
  },
  workqueue_work_duration_seconds: {
    type: 'histogram',
    help: 'How long a key was worked on.',
    labels: ['name'],
    buckets: seconds,
  },
  controller_runtime_reconcile_total: {
    type: 'counter',
    help: 'Reconciles by result: success, requeue_after or error.',
    labels: ['controller', 'result'],
  },
  controller_runtime_reconcile_errors_total: {
    type: 'counter',
    help: 'Reconciles that failed, the terminal ones included.',
    labels: ['controller'],
  },
  controller_runtime_terminal_reconcile_errors_total: {
    type: 'counter',
    help: 'Reconciles that failed and are not tried again until something changes.',
    labels: ['controller'],
  },
  controller_runtime_reconcile_time_seconds: {
    type: 'histogram',
    help: 'How long a reconcile took.',
    labels: ['controller'],
    buckets: seconds,
  },
  controller_runtime_active_workers: { type: 'gauge', help: 'Reconciles in flight.', labels: ['controller'] },
  controller_runtime_max_concurrent_reconciles: {
    type: 'gauge',
    help: 'Reconciles that may be in flight at a time.',
    labels: ['controller'],
  },
  reflector_lists_total: { type: 'counter', help: 'LISTs that were completed.', labels: ['name'] },
  reflector_watches_total: { type: 'counter', help: 'Watches that were opened.', labels: ['name'] },
  reflector_expired_answers_total: { type: 'counter', help: '410 as the status of a LIST or watch.', labels: ['name'] },
  reflector_expired_events_total: { type: 'counter', help: '410 as an event within a watch.', labels: ['name'] },
  reflector_silences_total: {
    type: 'counter',
    help: 'Watches given up because nothing arrived, not even a bookmark.',
    labels: ['name'],
  },
  reflector_failures_total: { type: 'counter', help: 'LISTs and watches that failed.', labels: ['name'] },
  reflector_listener_failures_total: { type: 'counter', help: 'Listeners that threw.', labels: ['name'] },
  leader_election_master_status: { type: 'gauge', help: '1 while this process leads, else 0.', labels: ['name'] },
  events_written_total: { type: 'counter', help: 'Writes of Events, repeats counted into series.', labels: [] },
  events_discarded_total: {
    type: 'counter',
    help: 'Events that were not written: over a bound, or refused by the API server.',
    labels: ['reason'],
  },
} as const satisfies Readonly<Record<string, MetricDescription>>

export type MetricName = keyof typeof metrics

type OfType<Type extends MetricDescription['type']> = {
  [Name in MetricName]: (typeof metrics)[Name]['type'] extends Type ? Name : never
}[MetricName]

export type MetricLabels<Name extends MetricName> = Readonly<Record<(typeof metrics)[Name]['labels'][number], string>>

/**
 * Where the measurements go. This package counts and depends on no metrics library; whoever has one makes its metrics from {@link metrics}. The methods
 * are called in the midst of everything: they must be quick and must not throw.
 */
export interface MetricsSink {
  /** Adds to a counter; 0 makes it appear. */
  add<Name extends OfType<'counter'>>(name: Name, labels: MetricLabels<Name>, amount: number): void
  /** Sets a gauge. */
  set<Name extends OfType<'gauge'>>(name: Name, labels: MetricLabels<Name>, value: number): void
  /** Takes a value into a histogram. */
  observe<Name extends OfType<'histogram'>>(name: Name, labels: MetricLabels<Name>, value: number): void
}

/** For whoever does not measure. */
export const noMetrics: MetricsSink = { add: () => {}, set: () => {}, observe: () => {} }
