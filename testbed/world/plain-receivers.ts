import { createServer, type Server } from 'node:http'
import { kinds, type KubeClient } from '@keelson/kube'
import { addHubAddress } from '../hosts/network.ts'
import { NodeKeeper } from '../kubelet/node-keeper.ts'
import type { SpecInput } from './requests.ts'

const port = 9100
const firstAddress = 101
const heartbeatMs = 3_000

export type Received = {
  readonly host: string
  readonly idempotencyKey: string
  /** The last byte of the answer has left. */
  answered: boolean
}

/**
 * Receivers that know nothing of Keelson, each at an address and with a Node of its own, in this process: they count what they get, and their answers
 * can be held.
 */
export class PlainReceivers implements AsyncDisposable {
  readonly names: readonly string[]
  readonly #servers: Server[] = []
  readonly #received = new Map<string, Received[]>()
  readonly #heldFrom = new Map<string, number>()
  readonly #held: (() => void)[] = []
  #heartbeat: NodeJS.Timeout | undefined
  #open = 0

  private constructor(count: number) {
    this.names = Array.from({ length: count }, (_, index) => `plain-${String(index + 1).padStart(2, '0')}`)
  }

  static async start(client: KubeClient, count: number): Promise<PlainReceivers> {
    const receivers = new PlainReceivers(count)
    const keepers: NodeKeeper[] = []
    for (const [index, name] of receivers.names.entries()) {
      const address = await addHubAddress(firstAddress + index)
      await receivers.#listen(name, address)
      const keeper = new NodeKeeper(client, { name, address })
      keepers.push(keeper)
      await keeper.tick()
      await client.patch(kinds.Node, { name }, { metadata: { labels: { plain: 'yes' } } })
    }
    // What fails is made up for by the next time.
    const beat = () => keepers.forEach((keeper) => void keeper.tick().catch(() => undefined))
    receivers.#heartbeat = setInterval(beat, heartbeatMs)
    return receivers
  }

  async #listen(host: string, address: string): Promise<void> {
    const server = createServer(({ url = '', headers }, response) => {
      const all = this.#received.get(url) ?? []
      const received = { host, idempotencyKey: String(headers['idempotency-key']), answered: false }
      this.#received.set(url, [...all, received])
      response.once('finish', () => (received.answered = true))
      if (all.length + 1 < (this.#heldFrom.get(url) ?? Infinity)) response.end('done\n')
      else this.#held.push(() => response.end('done\n'))
    })
    server.on('connection', (socket) => {
      this.#open++
      socket.once('close', () => this.#open--)
    })
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve))
  }

  /** A request that may not be sent twice, to all of them. */
  post(path: string): SpecInput {
    return {
      workers: [],
      hostSelector: { matchLabels: { plain: 'yes' } },
      http: { port, api: path, method: 'POST' },
      timeoutSeconds: 60,
    }
  }

  /** What came for a path, in its order. */
  received(path: string): readonly Received[] {
    return this.#received.get(path) ?? []
  }

  /** Holds the answers of a path from the one with this number on, counted from 1. */
  holdFrom(path: string, number: number): void {
    this.#heldFrom.set(path, number)
  }

  release(path: string): void {
    this.#heldFrom.delete(path)
    for (const answer of this.#held.splice(0)) answer()
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#open
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat)
    for (const server of this.#servers) server.closeAllConnections()
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
