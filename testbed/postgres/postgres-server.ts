import { randomBytes } from 'node:crypto'
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../control-plane/ports.ts'
import { mustRun, runCommand } from '../command.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'

/** Of Debian 12, whose package puts them outside the PATH. */
const binaries = '/usr/lib/postgresql/15/bin'

/** Made by the package, for PostgreSQL refuses to run as root. */
const account = 'postgres'
const asAccount = (process.getuid?.() ?? 0) === 0 ? asUnprivileged() : []

/** A change of the user clears the parent death signal, so it is set here once more. */
function asUnprivileged(): readonly string[] {
  return ['setpriv', `--reuid=${account}`, `--regid=${account}`, '--clear-groups', '--pdeathsig', 'KILL', '--']
}

/** PostgreSQL on a port of 127.0.0.1, with a folder and a password of its own. */
export class PostgresServer implements AsyncDisposable {
  readonly #directory: string
  readonly #port: number
  readonly #password: string
  readonly #daemon: Daemon
  #databases = 0

  private constructor(directory: string, port: number, password: string) {
    this.#directory = directory
    this.#port = port
    this.#password = password
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      // The data lives as long as the test; a power cut of the machine need not be survived.
      fsync: 'off',
      full_page_writes: 'off',
      shared_buffers: '16MB',
      max_connections: '40',
    }
    this.#daemon = new Daemon(
      'postgres',
      [
        ...asAccount,
        join(binaries, 'postgres'),
        '-D',
        join(directory, 'data'),
        '-p',
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { log: join(directory, 'postgres.log'), cwd: directory },
    )
  }

  /** Made anew and answering: two seconds or so. */
  static async start(): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'keelson-postgres-'))
    try {
      const password = randomBytes(16).toString('hex')
      const passwordFile = join(directory, 'password')
      const data = join(directory, 'data')
      await writeFile(passwordFile, password)
      await mkdir(data, { mode: 0o700 })
      if (asAccount.length > 0) {
        const ids = await Promise.all(
          ['-u', '-g'].map(async (flag) => Number((await mustRun(['id', flag, account])).stdout)),
        )
        for (const path of [directory, passwordFile, data]) await chown(path, ids[0]!, ids[1]!)
      }
      const initdb = [
        join(binaries, 'initdb'),
        '--username=keelson',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
        data,
      ]
      await mustRun([...asAccount, ...initdb], { cwd: directory })
      const [port] = await freePorts(1, '127.0.0.1')
      const server = new PostgresServer(directory, port!, password)
      await server.#untilReady()
      return server
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  async #untilReady(): Promise<void> {
    try {
      await eventually('PostgreSQL answers', async () => {
        await this.#daemon.assertRunning()
        const { exitCode } = await runCommand([
          join(binaries, 'pg_isready'),
          '--host=127.0.0.1',
          `--port=${this.#port}`,
          '--quiet',
        ])
        return exitCode === 0
      })
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  /** A fresh, empty database. @returns its URL, with the password */
  async database(): Promise<string> {
    const name = `test${(this.#databases += 1)}`
    await this.query('postgres', `create database ${name}`)
    return `postgres://keelson:${this.#password}@127.0.0.1:${this.#port}/${name}`
  }

  /** Runs SQL by psql. @returns rows as lines, fields separated by `|` */
  async query(database: string, sql: string): Promise<string> {
    const argv = [
      join(binaries, 'psql'),
      '--host=127.0.0.1',
      `--port=${this.#port}`,
      '--username=keelson',
      '--no-psqlrc',
    ]
    const { stdout } = await mustRun([...argv, '--tuples-only', '--no-align', '--command', sql, database], {
      env: { PGPASSWORD: this.#password },
    })
    return stdout.trimEnd()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Immediate shutdown: its children end too.
    await this.#daemon.stop('SIGQUIT')
    await rm(this.#directory, { recursive: true, force: true })
  }
}
