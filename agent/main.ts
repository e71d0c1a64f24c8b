import { parseArgs } from 'node:util'
import { productVersion } from '@keelson/api/product-version'
import { System } from '@keelson/engine'
import { pino } from 'pino'
import { ConfigError, readConfig } from './config.ts'
import { tellRunning } from './running-file.ts'
import { AgentServer } from './server.ts'
import { readTls } from './trust/tls-material.ts'

/** Shorter than the unit's TimeoutStopSec, so that the agent ends by itself. */
const closeDeadlineMs = 20_000

async function main(args: string[]): Promise<void> {
  // Synchronous: the last lines before an end are the ones that are needed, and otherwise they overtake each other.
  const destination = pino.destination({ dest: 1, sync: true })
  const logger = pino({ base: { version: productVersion }, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  try {
    const config = await readConfig(configPath(args))
    const tls = await readTls(config, new Date())
    const server = await AgentServer.open({ config, tls, system: new System(), logger })
    const { address, port } = await server.listen(config.address, config.port)
    // What cannot be told is no reason to leave the host without its agent.
    await tellRunning(process.env['RUNTIME_DIRECTORY'], { address, port }).catch((error: unknown) =>
      logger.error({ err: error }, 'running file not written: whoever watches this host takes the agent for stopped'),
    )
    logger.info({ host: config.name, address, port }, 'agent listens')

    let closing = false
    const close = (signal: NodeJS.Signals): void => {
      if (closing) return
      closing = true
      logger.info({ signal, closeDeadlineMs }, 'agent stops: requests in hand may finish')
      void server.close(closeDeadlineMs).then(() => {
        logger.info('agent stopped')
        process.exit(0)
      })
    }
    process.on('SIGTERM', close)
    process.on('SIGINT', close)
  } catch (error) {
    if (error instanceof ConfigError) logger.fatal({ code: error.code, reason: error.message }, 'configuration refused')
    else logger.fatal({ err: error }, 'agent cannot start')
    process.exitCode = 1
  }
}

function configPath(args: string[]): string {
  try {
    const { values } = parseArgs({ args, options: { config: { type: 'string' } } })
    return values.config ?? '/etc/keelson/agent.json'
  } catch (cause) {
    throw new ConfigError('usage: agent --config /etc/keelson/agent.json', cause)
  }
}

void main(process.argv.slice(2))
