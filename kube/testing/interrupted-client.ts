import { KubeClient, type KubeClientOptions, type ListOptions, type ObjectPage } from '../client.ts'
import type { Kind } from '../kinds.ts'
import type { KubernetesObject } from '../object.ts'

/** A client to whose first LIST something happens between two pages. */
export class InterruptedClient extends KubeClient {
  readonly #interrupt: () => Promise<void>
  #pages = 0

  constructor(options: KubeClientOptions, interrupt: () => Promise<void>) {
    super(options)
    this.#interrupt = interrupt
  }

  override async listPage<T extends KubernetesObject>(
    kind: Kind<T>,
    options: ListOptions = {},
    signal?: AbortSignal,
  ): Promise<ObjectPage<T>> {
    if (++this.#pages === 2) await this.#interrupt()
    return super.listPage(kind, options, signal)
  }
}
