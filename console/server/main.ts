import { destination, pino } from 'pino'
import { systemClock } from './clock.ts'
import { ConfigurationError, readConfiguration } from './config/read-configuration.ts'
import { runConsole } from './start.ts'

/** What is under way may end; shorter than the grace period of a Pod. */
const stopDeadlineMs = 20_000

// Written before it goes on: a process that dies loses no line.
const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }))
const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    log.info({ signal: name }, 'stopping: what is under way may end')
    stop.abort()
    setTimeout(() => {
      log.warn({ stopDeadlineMs }, 'stopped before everything had ended')
      process.exit(0)
    }, stopDeadlineMs).unref()
  })

try {
  const configuration = await readConfiguration(process.argv.slice(2), process.env)
  log.level = configuration.logLevel
  await runConsole({ configuration, log, clock: systemClock }, stop.signal)
  log.info('console stopped')
  process.exit(0)
} catch (error) {
  if (error instanceof ConfigurationError)
    log.fatal({ code: error.code, reason: error.message }, 'configuration refused')
  else log.fatal({ err: error }, 'console ended')
  process.exit(1)
}
