import { expect, test } from 'vitest'
import { Controller, TerminalError } from './controller.ts'
import { metrics } from './metrics.ts'
import { RecordedMetrics } from './testing/recorded-metrics.ts'
import { WorkQueue } from './work-queue.ts'

test('names and labels are what Prometheus takes, and say what they are by its conventions', () => {
  for (const [name, { type, help, labels, ...rest }] of Object.entries(metrics)) {
    expect(name).toMatch(/^[a-z_]+$/)
    expect({ name, isTotal: name.endsWith('_total') }).toEqual({ name, isTotal: type === 'counter' })
    expect({ name, isDuration: name.endsWith('_seconds') }).toEqual({ name, isDuration: type === 'histogram' })
    expect({ name, hasBuckets: 'buckets' in rest }).toEqual({ name, hasBuckets: type === 'histogram' })
    expect(labels.every((label) => /^[a-z]+$/.test(label))).toBe(true)
    expect(help).toMatch(/^\d*[A-Z ].*\.$/)
  }
})

test('a controller and its queue are measured, from 0 on', async () => {
  const recorded = new RecordedMetrics()
  const stop = new AbortController()
  const queue = new WorkQueue({ name: 'hosts', metrics: recorded, backoff: { initialMs: 1, maxMs: 1 } })
  const calls: string[] = []
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const controller = new Controller({
    name: 'hosts',
    metrics: recorded,
    queue,
    sources: [],
    concurrency: 2,
    reconcile: async (key) => {
      calls.push(key)
      if (key === 'hopeless') throw new TerminalError('never')
      if (key === 'flaky' && calls.filter((call) => call === key).length === 1) throw new Error('not yet')
      if (key === 'flaky') finish()
      return key === 'later' ? { requeueAfterMs: 1e6 } : undefined
    },
  })
  expect(Object.fromEntries(recorded.values)).toEqual({
    'workqueue_adds_total{name="hosts"}': 0,
    'workqueue_retries_total{name="hosts"}': 0,
    'workqueue_depth{name="hosts"}': 0,
    'controller_runtime_reconcile_total{controller="hosts",result="success"}': 0,
    'controller_runtime_reconcile_total{controller="hosts",result="requeue_after"}': 0,
    'controller_runtime_reconcile_total{controller="hosts",result="error"}': 0,
    'controller_runtime_reconcile_errors_total{controller="hosts"}': 0,
    'controller_runtime_terminal_reconcile_errors_total{controller="hosts"}': 0,
    'controller_runtime_max_concurrent_reconciles{controller="hosts"}': 2,
    'controller_runtime_active_workers{controller="hosts"}': 0,
  })
  for (const key of ['fine', 'fine', 'later', 'hopeless', 'flaky']) controller.enqueue(key)
  expect(recorded.get('workqueue_depth{name="hosts"}')).toBe(4)
  const ended = controller.run(stop.signal)
  await finished
  stop.abort()
  await ended
  expect(Object.fromEntries(recorded.values)).toEqual({
    'workqueue_adds_total{name="hosts"}': 5,
    'workqueue_retries_total{name="hosts"}': 1,
    'workqueue_depth{name="hosts"}': 0,
    'workqueue_queue_duration_seconds{name="hosts"}': 5,
    'workqueue_work_duration_seconds{name="hosts"}': 5,
    'controller_runtime_reconcile_total{controller="hosts",result="success"}': 2,
    'controller_runtime_reconcile_total{controller="hosts",result="requeue_after"}': 1,
    'controller_runtime_reconcile_total{controller="hosts",result="error"}': 2,
    'controller_runtime_reconcile_errors_total{controller="hosts"}': 2,
    'controller_runtime_terminal_reconcile_errors_total{controller="hosts"}': 1,
    'controller_runtime_reconcile_time_seconds{controller="hosts"}': 5,
    'controller_runtime_max_concurrent_reconciles{controller="hosts"}': 2,
    'controller_runtime_active_workers{controller="hosts"}': 0,
  })
  const workers = recorded.history.filter(([series]) => series.startsWith('controller_runtime_active_workers'))
  expect(Math.max(...workers.map(([, value]) => value))).toBe(2)
})
