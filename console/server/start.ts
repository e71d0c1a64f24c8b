import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import { connectCluster } from './connect-cluster.ts'
import { createConsole } from './create-console.ts'
import { keepHouse } from './housekeeping.ts'
import { Accounts } from './model/accounts.ts'
import { Audit } from './model/audit.ts'
import { Bootstrap } from './model/bootstrap.ts'
import { isSqlite, openDatabase } from './model/database.ts'
import { Sessions } from './model/sessions.ts'

export interface StartParts {
  readonly configuration: Configuration
  readonly log: Logger
  readonly clock: Clock
}

/** Runs the console until the signal is aborted; then answers what is under way and resolves. @throws errors with a `code` that say what to do */
export async function runConsole({ configuration, log, clock }: StartParts, signal: AbortSignal): Promise<void> {
  const orm = await openDatabase(configuration.databaseUrl)
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => orm.close())
  const accounts = new Accounts(orm, clock)
  const audit = new Audit(orm, clock)
  const settled = await audit.settleAbandoned({ alone: isSqlite(configuration.databaseUrl) })
  if (settled > 0) log.warn({ entries: settled }, 'acts of a console that ended have no known outcome')

  const cluster = stack.use(await connectCluster({ configuration, accounts, audit, log, clock }))
  const app = await createConsole({
    configuration,
    orm,
    controllers: cluster.controllers,
    streams: cluster.streams,
    web: configuration.pages ?? ownPages(),
    log,
    clock,
    readiness: async () => {
      await accounts.isEmpty()
      return cluster.waitingFor()
    },
  })
  stack.defer(async () => app.close())
  const { bindAddress: address, bindPort: port, publicUrl } = configuration
  await app.listen({ host: address, port })
  log.info({ version: productVersion, address, port, url: publicUrl.href }, 'console listens')
  await tellBootstrapLink(new Bootstrap(orm, clock), configuration, log)

  const stopping = new AbortController()
  const { sessionSecrets, sessionIdleSeconds: idleSeconds, sessionAbsoluteSeconds: absoluteSeconds } = configuration
  const sessions = new Sessions(orm, clock, sessionSecrets, { idleSeconds, absoluteSeconds })
  const house = { audit, sessions, auditRetentionDays: configuration.auditRetentionDays, log }
  const work = [cluster.run(stopping.signal), keepHouse(house, stopping.signal)]
  // Before the connections go that it uses.
  stack.defer(async () => void (await Promise.allSettled(work)))
  try {
    await Promise.race([aborted(signal), ...work])
  } finally {
    stopping.abort()
  }
}

async function tellBootstrapLink(
  bootstrap: Bootstrap,
  { publicUrl, administrator }: Configuration,
  log: Logger,
): Promise<void> {
  const token = await bootstrap.issue()
  if (token === undefined) return
  // In the fragment, which no proxy and no log of one ever sees.
  const link = `${publicUrl.origin}/bootstrap#${token}`
  log.info(
    { link, administrator, hours: 24 },
    'nobody has an account yet: open this link to set the password of the first administrator',
  )
}

/** Beside the executable, which has this module in its folder lib; or where a checkout builds them. */
function ownPages(): string {
  const beside = join(import.meta.dirname, '../pages')
  return existsSync(join(beside, 'index.html')) ? beside : join(import.meta.dirname, '../web/dist')
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
