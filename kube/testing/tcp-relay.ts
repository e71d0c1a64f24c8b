import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP relay on loopback, for tests: counts connections, cuts them, and holds answers back. What it carries stays encrypted. */
export class TcpRelay implements AsyncDisposable {
  readonly #server: Server
  readonly #pairs = new Map<Socket, Socket>()
  #accepted = 0
  #heldBytes = 0
  #holding = false
  #blocked = false

  private constructor(port: number, hostname: string) {
    this.#server = createServer((inner) => {
      this.#accepted++
      if (this.#blocked) {
        inner.on('error', () => undefined).resetAndDestroy()
        return
      }
      const outer = connect(port, hostname)
      this.#pairs.set(inner, outer)
      const end = (): void => {
        this.#pairs.delete(inner)
        inner.destroy()
        outer.destroy()
      }
      inner.on('error', end).on('close', end)
      outer.on('error', end).on('close', end)
      inner.on('data', (chunk) => outer.write(chunk))
      outer.on('data', (chunk) => {
        if (this.#holding) {
          this.#heldBytes += chunk.length
          outer.pause()
          outer.unshift(chunk)
        } else {
          inner.write(chunk)
        }
      })
    })
  }

  static async start(target: string): Promise<TcpRelay> {
    const { port, hostname } = new URL(target)
    const relay = new TcpRelay(Number(port), hostname)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    return relay
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the relay is not listening')
    return `https://127.0.0.1:${address.port}`
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted
  }

  get open(): number {
    return this.#pairs.size
  }

  /** Bytes of answers that arrived since `hold` and were not passed on. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Resets every open connection. */
  cut(): void {
    for (const inner of this.#pairs.keys()) inner.resetAndDestroy()
  }

  /** From now on no byte of an answer gets through; connections stay open, as behind a firewall that forgot them. */
  hold(): void {
    this.#holding = true
    this.#heldBytes = 0
  }

  release(): void {
    this.#holding = false
    for (const outer of this.#pairs.values()) outer.resume()
  }

  /** Resets every connection, also each new one. */
  block(): void {
    this.#blocked = true
    this.cut()
  }

  unblock(): void {
    this.#blocked = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
