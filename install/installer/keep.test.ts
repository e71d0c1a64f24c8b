import { pino } from 'pino'
import { expect, test } from 'vitest'
import { InstallerError } from './installer-error.ts'
import { Keep } from './keep.ts'
import { ProbeServer } from './probe-server.ts'

const logger = pino({ enabled: false })
const times = { intervalMs: 1, firstRetryMs: 1, longestRetryMs: 2, hangsAfterMs: 60_000 }

test('looks again and again; the probes tell how the last look ended', async () => {
  const stop = new AbortController()
  const outcomes = [
    new InstallerError('AgentNotUp', 'it is not up'),
    undefined,
    new Error('other'),
    undefined,
    undefined,
  ]
  const told: string[] = []
  const keep = new Keep({
    look: async () => {
      told.push(`${keep.ready.ok} ${keep.ready.text}`)
      if (outcomes.length === 0) stop.abort()
      const outcome = outcomes.shift()
      if (outcome !== undefined) throw outcome
    },
    ...{ done: 'done', logger, times },
  })
  await using server = await ProbeServer.start(
    { host: '127.0.0.1', port: 0 },
    { '/healthz': () => keep.alive, '/readyz': () => keep.ready },
  )
  const ask = async (path: string, init = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
    return [response.status, await response.text()]
  }
  expect(await ask('/readyz')).toEqual([503, 'the first look at this host is not over\n'])
  await keep.run(stop.signal)
  expect(told).toEqual([
    'false the first look at this host is not over',
    'false AgentNotUp: it is not up',
    'true done',
    'false Unforeseen: other',
    ...['true done', 'true done'],
  ])
  expect(await ask('/readyz')).toEqual([200, 'done\n'])
  expect(await ask('/healthz?verbose')).toEqual([200, 'ok\n'])
  expect(await ask('/readyz', { method: 'POST' })).toMatchObject([405, expect.anything()])
  expect(await ask('/constructor')).toMatchObject([404, expect.anything()])
})

test('a look that hangs is told to be one, and an abort ends it', async () => {
  const stop = new AbortController()
  const begun = Promise.withResolvers<void>()
  const keep = new Keep({
    look: async (signal) => {
      begun.resolve()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    },
    ...{ done: 'done', logger, times: { ...times, hangsAfterMs: -1 } },
  })
  const running = keep.run(stop.signal)
  await begun.promise
  expect(keep.alive).toEqual({ ok: false, text: expect.stringContaining('a look takes longer') as string })
  stop.abort()
  await running
  expect(keep.alive.ok).toBe(true)
})
