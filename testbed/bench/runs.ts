import { agentPort, apiVersion, type HostRequest, type HostRequestSpec } from '@keelson/api'
import { defineKind, Reflector, type KubeClient } from '@keelson/kube'
import type { z } from 'zod'
import { partLabel } from './member.ts'

const kind = defineKind<HostRequest>({ apiVersion, kind: 'HostRequest', plural: 'hostrequests', namespaced: true })
const namespace = 'default'
/** A run that takes longer has failed. */
const deadlineMs = 180_000

export const parallelism = 64

export type Timed = {
  readonly name: string
  /** From before the creation to the news of the end, in milliseconds. */
  readonly milliseconds: number
  /** CLOCK_MONOTONIC right before the creation, in nanoseconds: the same for all processes of a machine. */
  readonly created: bigint
}

/** HostRequests as a user makes them, timed from their creation until a watch tells of their end. */
export class Runs implements Disposable {
  readonly #client: KubeClient
  readonly #requests: Reflector<HostRequest>
  readonly #stop = new AbortController()
  readonly #waiting = new Map<string, (request: HostRequest) => void>()
  #count = 0

  constructor(client: KubeClient) {
    this.#client = client
    this.#requests = new Reflector({ client, kind })
    this.#requests.onChange(({ object }) => {
      if (object.status?.conditions.some(({ type, status }) => type === 'Finished' && status === 'True') === true)
        this.#waiting.get(object.metadata.name)?.(object)
    })
    this.#requests.run(this.#stop.signal).catch(() => {})
  }

  async synced(): Promise<void> {
    await this.#requests.synced(this.#stop.signal)
  }

  /** POST of a sysctl to the hosts: the named ones, a tenth of the fleet, or all. @throws where one did not succeed */
  async post(to: 'all' | 'part' | readonly string[]): Promise<Timed> {
    this.#count += 1
    const name = `bench-${this.#count}`
    const spec: z.input<typeof HostRequestSpec> = {
      workers: typeof to === 'string' ? [] : to.map((host) => ({ name: host })),
      ...(to === 'part' ? { hostSelector: { matchLabels: { [partLabel]: 'small' } } } : {}),
      http: { port: agentPort, api: '/v1/sysctl', method: 'POST', parameters: [{ key: 'vm.swappiness', value: '10' }] },
      parallelism,
    }
    const ended = Promise.withResolvers<HostRequest>()
    const timer = setTimeout(() => ended.reject(new Error(`${name} has not ended in time`)), deadlineMs)
    this.#waiting.set(name, ended.resolve)
    try {
      const created = process.hrtime.bigint()
      await this.#client.create(kind, { metadata: { name, namespace }, spec: spec as HostRequestSpec })
      const { status } = await ended.promise
      const milliseconds = Number(process.hrtime.bigint() - created) / 1e6
      if (status?.state !== 'SUCCESS') throw new Error(`${name}: ${status?.state} ${status?.msg}`)
      return { name, milliseconds, created }
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(name)
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort()
  }
}
