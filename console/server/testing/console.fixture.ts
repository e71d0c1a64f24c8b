import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Clock } from '../clock.ts'
import type { Configuration } from '../config/configuration.ts'
import type { Controller } from '../controller/serve.ts'
import { createConsole, type Stream } from '../create-console.ts'
import { Accounts } from '../model/accounts.ts'
import { Audit } from '../model/audit.ts'
import { openDatabase, type Database } from '../model/database.ts'
import { Browser } from './browser.fixture.ts'
import { TestClock } from './test-clock.fixture.ts'

export interface TestConsoleOptions {
  readonly configuration?: Partial<Configuration>
  readonly controllers?: readonly Controller[]
  /** Those that need the database themselves. */
  readonly withDatabase?: (
    orm: Database,
    clock: Clock,
  ) => { controllers?: readonly Controller[]; streams?: readonly Stream[] }
  readonly streams?: readonly Stream[]
  readonly web?: string
}

export const password = 'four random words here'
const sessionSecret = 'a secret of a test, which is long enough 0123456789'

/** The whole server, listening on a port of 127.0.0.1, with a database in a folder of its own. */
export class TestConsole implements AsyncDisposable {
  readonly clock: TestClock
  readonly orm: Database
  readonly accounts: Accounts
  readonly audit: Audit
  readonly address: URL
  readonly log: readonly Record<string, unknown>[]
  readonly #app: FastifyInstance
  readonly #folder: string
  readonly #publicUrl: URL

  private constructor(parts: {
    clock: TestClock
    orm: Database
    app: FastifyInstance
    folder: string
    publicUrl: URL
    log: Record<string, unknown>[]
  }) {
    this.clock = parts.clock
    this.orm = parts.orm
    this.accounts = new Accounts(parts.orm, parts.clock)
    this.audit = new Audit(parts.orm, parts.clock)
    this.log = parts.log
    this.#app = parts.app
    this.#folder = parts.folder
    this.#publicUrl = parts.publicUrl
    this.address = new URL(`http://127.0.0.1:${(parts.app.server.address() as AddressInfo).port}`)
  }

  static async start(options: TestConsoleOptions = {}): Promise<TestConsole> {
    const folder = await mkdtemp(join(tmpdir(), 'keelson-console-'))
    const clock = new TestClock()
    const log: Record<string, unknown>[] = []
    const configuration: Configuration = {
      bindAddress: '127.0.0.1',
      bindPort: 0,
      publicUrl: new URL('http://console.test'),
      databaseUrl: `file:${join(folder, 'console.db')}`,
      sessionSecrets: [sessionSecret],
      kubeconfig: undefined,
      kubernetesPublicUrl: undefined,
      trustedProxies: [],
      sessionIdleSeconds: 1_800,
      sessionAbsoluteSeconds: 43_200,
      administrator: 'admin',
      auditRetentionDays: 400,
      pages: undefined,
      logLevel: 'info',
      ...options.configuration,
    }
    const orm = await openDatabase(configuration.databaseUrl)
    const more = options.withDatabase?.(orm, clock) ?? {}
    const app = await createConsole({
      configuration,
      orm,
      controllers: [...(options.controllers ?? []), ...(more.controllers ?? [])],
      streams: [...(options.streams ?? []), ...(more.streams ?? [])],
      web: options.web ?? join(folder, 'no-pages'),
      log: pino(
        { level: 'debug' },
        { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
      ),
      clock,
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return new TestConsole({ clock, orm, app, folder, publicUrl: configuration.publicUrl, log })
  }

  /** One more browser, with no cookies yet. */
  browser(): Browser {
    return new Browser(this.address, this.#publicUrl.origin)
  }

  /** Sends bytes as they are. @returns the status of each answer until the server closes the connection */
  async raw(bytes: string): Promise<{ readonly status: readonly number[] }> {
    const socket = connect(Number(this.address.port), '127.0.0.1')
    socket.end(bytes)
    let text = ''
    for await (const chunk of socket.setEncoding('latin1')) text += chunk as string
    return { status: [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status)) }
  }

  /** One more person, who may sign in with {@link password}. */
  async person(name: string): Promise<void> {
    await this.accounts.create({ name, displayName: name, password, mustChangePassword: false })
  }

  /** A browser in which that person is signed in. */
  async signedIn(name: string): Promise<Browser> {
    if ((await this.accounts.find(name)) === undefined) await this.person(name)
    const browser = this.browser()
    const { status, text } = await browser.signIn(name, password)
    if (status !== 200) throw new Error(`sign in: ${status} ${text}`)
    return browser
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.close()
    await this.orm.close(true)
    await rm(this.#folder, { recursive: true, force: true })
  }
}
