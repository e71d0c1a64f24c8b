import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { eventually } from '@keelson/testbed'

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The console as a process. */
export class ConsoleProcess implements AsyncDisposable {
  readonly address: URL
  readonly #child: ChildProcess
  #log = ''

  constructor(address: URL, environment: Record<string, string>) {
    this.address = address
    this.#child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts')], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
  }

  get log(): string {
    return this.#log
  }

  /** @returns the status of /readyz */
  async listens(): Promise<number> {
    return eventually('it listens', async () => (await fetch(new URL('/readyz', this.address))).status, 20_000)
  }

  /** What opens the first account. */
  async bootstrapToken(): Promise<string> {
    const link = /"link":"[^"]+[/]bootstrap#([A-Za-z0-9_-]{43})"/
    return eventually('the link is told', () => link.exec(this.log)?.[1])
  }

  async stop(signal: NodeJS.Signals): Promise<readonly [number | null, NodeJS.Signals | null]> {
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    return (await ended) as [number | null, NodeJS.Signals | null]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop('SIGKILL')
  }
}
