import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

type Direction = 'requests' | 'answers'

/** Stands between a client and a server, on loopback, and can hold either direction. What it carries stays encrypted. */
export class Relay implements AsyncDisposable {
  readonly #server: Server
  /** From the client's side to the server's. */
  readonly #pairs = new Map<Socket, Socket>()
  readonly #held = new Set<Direction>()
  #heldBytes = 0

  private constructor(target: URL) {
    this.#server = createServer((inner) => {
      const outer = connect(Number(target.port), target.hostname)
      this.#pairs.set(inner, outer)
      const end = (): void => {
        this.#pairs.delete(inner)
        inner.destroy()
        outer.destroy()
      }
      for (const socket of [inner, outer]) socket.setNoDelay(true).on('error', end).on('close', end)
      this.#carry('requests', inner, outer)
      this.#carry('answers', outer, inner)
    })
  }

  /** @param target the server's URL */
  static async start(target: string): Promise<Relay> {
    const relay = new Relay(new URL(target))
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    return relay
  }

  #carry(direction: Direction, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (!this.#held.has(direction)) {
        to.write(chunk)
        return
      }
      this.#heldBytes += chunk.length
      from.pause()
      from.unshift(chunk)
    })
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the relay does not listen')
    return `https://127.0.0.1:${address.port}`
  }

  /** Bytes that came since {@link hold} and were not passed on. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** From now on no byte of that direction gets through, and connections stay open. */
  hold(direction: Direction): void {
    this.#held.add(direction)
    this.#heldBytes = 0
  }

  /** Ends every connection, and with them what was held: it never arrives. New ones are carried. */
  cut(): void {
    for (const inner of this.#pairs.keys()) inner.resetAndDestroy()
    this.#pairs.forEach((outer) => outer.destroy())
    this.#pairs.clear()
    this.#held.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
