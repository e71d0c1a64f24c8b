import { apiVersion, type HostRequest, type HostRequestSpec } from '@keelson/api'
import { defineKind, type KubeClient } from '@keelson/kube'
import type { z } from 'zod'
import { eventually } from '../deadline.ts'

const kind = defineKind<HostRequest>({ apiVersion, kind: 'HostRequest', plural: 'hostrequests', namespaced: true })
const namespace = 'default'

export type SpecInput = z.input<typeof HostRequestSpec>

/** The HostRequests of a world, as a user with the API at hand makes and follows them. */
export class Requests {
  readonly #client: KubeClient

  constructor(client: KubeClient) {
    this.#client = client
  }

  /** Applies the request and waits until this very generation of it has ended. */
  async send(name: string, spec: SpecInput): Promise<HostRequest> {
    const applied = await this.apply(name, spec)
    return this.finished(name, applied.metadata.generation ?? 0)
  }

  async apply(name: string, spec: SpecInput): Promise<HostRequest> {
    return this.#client.apply(kind, { metadata: { name, namespace }, spec: spec as HostRequestSpec }, { force: true })
  }

  async get(name: string): Promise<HostRequest> {
    return this.#client.get(kind, { name, namespace })
  }

  async patch(name: string, patch: Readonly<Record<string, unknown>>, subresource?: 'status'): Promise<void> {
    await this.#client.patch(kind, { name, namespace }, patch, { subresource })
  }

  async delete(name: string): Promise<void> {
    await this.#client.delete(kind, { name, namespace })
  }

  async finished(name: string, generation: number, timeoutMs = 30_000): Promise<HostRequest> {
    return eventually(
      `generation ${generation} of ${name} has ended`,
      async () => {
        const request = await this.get(name)
        const ended = request.status?.conditions.find(({ type }) => type === 'Finished')
        return ended?.status === 'True' && ended.observedGeneration === generation ? request : undefined
      },
      timeoutMs,
    )
  }
}

/** POST to a type of the agents on some hosts, by name. */
export function change(
  hosts: readonly string[],
  type: string,
  parameters: Readonly<Record<string, string>>,
): SpecInput {
  return {
    workers: hosts.map((name) => ({ name })),
    http: {
      ...{ port: 7117, api: `/v1/${type}`, method: 'POST' },
      parameters: Object.entries(parameters).map(([key, value]) => ({ key, value })),
    },
  }
}

/** GET of a path on the plain web server of some hosts, by name. */
export function webGet(hosts: readonly string[], api: string): SpecInput {
  return { workers: hosts.map((name) => ({ name })), http: { port: 8080, api, method: 'GET' } }
}
