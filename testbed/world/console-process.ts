import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { Daemon } from '../daemon.ts'
import { eventually } from '../deadline.ts'

const tree = resolve(import.meta.dirname, '../..')

export type ConsoleOptions = {
  /** Folder of the built pages: {@link consolePages}. */
  readonly pages: string
  /** Port on 127.0.0.1. */
  readonly port: number
  /** Where browsers find it, if that is not where it listens. */
  readonly publicUrl?: string
  /** Where kubectl finds the API server, if that is not where the console finds it. */
  readonly kubernetesPublicUrl?: string
  /** How it is run; default: from the sources of this tree. */
  readonly argv?: readonly string[]
}

/** The console as a process under its own account, with a database of its own. */
export class ConsoleProcess implements AsyncDisposable {
  /** Where browsers find it. */
  readonly url: string
  /** Where it listens. */
  readonly inside: string
  readonly #daemon: Daemon

  private constructor(url: string, inside: string, daemon: Daemon) {
    this.url = url
    this.inside = inside
    this.#daemon = daemon
  }

  static async start(cluster: ControlPlane, options: ConsoleOptions): Promise<ConsoleProcess> {
    const { pages, port, kubernetesPublicUrl = cluster.server } = options
    const inside = `http://127.0.0.1:${port}`
    const publicUrl = options.publicUrl ?? inside
    const file = (name: string) => join(cluster.directory, name)
    await writeFile(file('console-session-secret'), randomBytes(48).toString('base64url'), { mode: 0o600 })
    const env = {
      KEELSON_CONSOLE_BIND_ADDRESS: '127.0.0.1',
      KEELSON_CONSOLE_BIND_PORT: String(port),
      KEELSON_CONSOLE_PUBLIC_URL: publicUrl,
      KEELSON_CONSOLE_DATABASE_URL: `file:${file('console.db')}`,
      KEELSON_CONSOLE_SESSION_SECRET_FILE: file('console-session-secret'),
      KEELSON_CONSOLE_KUBECONFIG: await cluster.serviceAccountKubeconfig('keelson-system', 'keelson-console'),
      KEELSON_CONSOLE_KUBERNETES_PUBLIC_URL: kubernetesPublicUrl,
      KEELSON_CONSOLE_PAGES: pages,
    }
    const argv = options.argv ?? [process.execPath, join(tree, 'cli/main.ts')]
    const daemon = new Daemon('console', [...argv, 'console'], { log: file('console.log'), env })
    const started = new ConsoleProcess(publicUrl, inside, daemon)
    try {
      await eventually('the console is ready, or has ended', () => started.#isReady(), 60_000)
      await daemon.assertRunning()
      return started
    } catch (error) {
      await started[Symbol.asyncDispose]()
      throw new Error(`the console did not become ready:\n${await daemon.tail()}`, { cause: error })
    }
  }

  async #isReady(): Promise<boolean> {
    // Says what is wrong with its settings, and ends.
    if (!this.#daemon.running) return true
    return (await fetch(new URL('/readyz', this.inside))).ok
  }

  /** Where the first administrator sets a password: the console tells it once, in its log. */
  async bootstrapLink(): Promise<string> {
    const link = /https?:[^\s"]+\/bootstrap#[A-Za-z0-9_-]+/
    const found = link.exec(await readFile(this.#daemon.log, 'utf8'))
    if (found === null) throw new Error(`the console has told no link:\n${await this.#daemon.tail()}`)
    return found[0]
  }

  get pid(): number {
    return this.#daemon.pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop('SIGTERM')
  }
}
