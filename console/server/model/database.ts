import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Migrator } from '@mikro-orm/migrations'
import { MikroORM, NodeSqliteDialect, SqliteDriver, type Options } from '@mikro-orm/sql'
import { entities } from './entities.ts'
import { postgresqlMigrations } from './migrations/postgresql/index.ts'
import { sqliteMigrations } from './migrations/sqlite/index.ts'

export type Database = MikroORM

/** The database cannot be used; the message says what to do. */
class DatabaseError extends Error {
  readonly code: 'DatabaseUnreachable' | 'DatabaseInUse'

  constructor(code: DatabaseError['code'], message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'DatabaseError'
    this.code = code
  }
}

/** Any number will do, as long as every console takes the same. */
const migrationLock = 7_117_001

/**
 * Opens the database and brings its tables up to date.
 *
 * @param url `file:/path/console.db` (or `file:` and a relative path; made where it is missing) or `postgres://user:password@host/name`
 * @throws DatabaseError
 */
export async function openDatabase(url: string): Promise<Database> {
  return isSqlite(url) ? openSqlite(pathOf(url)) : openPostgresql(url)
}

/** Then no other console uses it at the same time. */
export function isSqlite(url: string): boolean {
  return url.startsWith('file:')
}

function pathOf(url: string): string {
  return url.startsWith('file:/') ? fileURLToPath(url) : url.slice('file:'.length)
}

const shared = {
  entities,
  extensions: [Migrator],
  // Every query runs in a fork of its own, as the linter cannot see.
  allowGlobalContext: false,
  // A query's parameters are sessions' and passwords' hashes.
  debug: false,
  // An absent database is a mistake in the URL.
  ensureDatabase: false,
} satisfies Options

function migrationsOf(migrationsList: typeof sqliteMigrations): NonNullable<Options['migrations']> {
  return { migrationsList, tableName: 'migrations', snapshot: false, silent: true, allOrNothing: true }
}

async function openSqlite(path: string): Promise<Database> {
  try {
    // Made here, so that nobody else may read it: the files of the write-ahead log take over its mode.
    await (await open(path, 'a', 0o600)).close()
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    const remedy = 'its folder must exist and be writable for the console'
    throw new DatabaseError('DatabaseUnreachable', `the database ${path} cannot be opened (${why}): ${remedy}`, cause)
  }
  const orm = await MikroORM.init({
    ...shared,
    driver: SqliteDriver,
    dbName: path,
    driverOptions: new NodeSqliteDialect(path),
    migrations: migrationsOf(sqliteMigrations),
  })
  try {
    const connection = orm.em.getConnection()
    await connection.execute('pragma busy_timeout = 5000')
    // Locked for this process alone until it ends: two consoles need PostgreSQL.
    await connection.execute('pragma locking_mode = exclusive')
    await connection.execute('pragma journal_mode = wal')
    // A commit is on the disk: neither a kill nor a power cut takes an account or an entry back.
    await connection.execute('pragma synchronous = full')
    await orm.migrator.up()
    return orm
  } catch (cause) {
    await orm.close(true)
    if (!String(cause).includes('database is locked')) throw cause
    const remedy = 'end the other console, or give both a PostgreSQL database'
    throw new DatabaseError('DatabaseInUse', `another process uses the database ${path}: ${remedy}`, cause)
  }
}

async function openPostgresql(url: string): Promise<Database> {
  const { PostgreSqlDriver } = await import('@mikro-orm/postgresql')
  const orm = await MikroORM.init({
    ...shared,
    driver: PostgreSqlDriver,
    clientUrl: url,
    pool: { min: 0, max: 10 },
    migrations: migrationsOf(postgresqlMigrations),
  })
  try {
    // Of several consoles that start at once one migrates and the others wait.
    await orm.em.fork().transactional(async (em) => {
      await em.execute(`select pg_advisory_xact_lock(${migrationLock})`)
      await orm.migrator.up({ transaction: em.getTransactionContext() })
    })
    return orm
  } catch (cause) {
    await orm.close(true)
    const { host, pathname } = new URL(url)
    const why = cause instanceof Error ? cause.message : String(cause)
    const remedy = 'check the database URL, and that its user may make tables there'
    throw new DatabaseError('DatabaseUnreachable', `PostgreSQL ${host}${pathname}: ${why}; ${remedy}`, cause)
  }
}
