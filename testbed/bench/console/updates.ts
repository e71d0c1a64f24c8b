import { setTimeout as sleep } from 'node:timers/promises'
import { apiVersion, type Host } from '@keelson/api'
import { defineKind, type KubeClient } from '@keelson/kube'

const kind = defineKind<Host>({ apiVersion, kind: 'Host', plural: 'hosts', namespaced: false })
const ticksPerSecond = 20

/** Changes Hosts through the API server, so many a second and each in its turn, until it is disposed. */
export class Updates implements AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #started = performance.now()
  #done = 0

  constructor(client: KubeClient, names: readonly string[], perSecond: number) {
    this.#running = this.#run(client, names, perSecond)
  }

  /** What was really reached, in updates a second. */
  get rate(): number {
    return this.#done / ((performance.now() - this.#started) / 1_000)
  }

  async #run(client: KubeClient, names: readonly string[], perSecond: number): Promise<void> {
    const { signal } = this.#stop
    const batch = perSecond / ticksPerSecond
    for (let tick = 0; !signal.aborted; tick += 1) {
      const due = this.#started + (tick * 1_000) / ticksPerSecond
      const some = Array.from({ length: batch }, (_, index) => names[(tick * batch + index) % names.length]!)
      // What the page shows in a column.
      const status = { facts: { kernelVersion: `6.1.${tick % 1_000}-bench` } }
      await Promise.all(
        some.map((name) => client.patch(kind, { name }, { status }, { subresource: 'status' }, signal)),
      ).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      this.#done += batch
      await sleep(Math.max(0, due - performance.now()), undefined, { signal }).catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}
