import { setTimeout as sleep } from 'node:timers/promises'
import { defineKind, NotFoundError, type KubeClient, type KubernetesObject } from '@keelson/kube'
import type { Logger } from 'pino'
import { canonicalAddress, listOf } from '../delivery/address.ts'
import type { ClusterAddresses } from './host-addresses.ts'

type EndpointSlice = KubernetesObject & {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null | undefined
}
type Service = KubernetesObject & {
  readonly spec?: { readonly clusterIPs?: readonly string[] | undefined } | undefined
}
type ServiceCIDR = KubernetesObject & { readonly spec?: { readonly cidrs?: readonly string[] | undefined } | undefined }

const endpointSliceKind = defineKind<EndpointSlice>({
  ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', namespaced: true },
})
const serviceKind = defineKind<Service>({ apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true })
const serviceCIDRKind = defineKind<ServiceCIDR>({
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', plural: 'servicecidrs', namespaced: false },
})

/** API servers keep it, under this name, and its EndpointSlice likewise. */
const apiService = { namespace: 'default', name: 'kubernetes' }

export type ClusterAddressesOptions = {
  readonly client: KubeClient
  /** Ranges of Services beside those that the cluster tells of. */
  readonly serviceRanges: readonly string[]
  readonly logger: Logger
  /** How often the cluster is asked, in milliseconds. */
  readonly intervalMs?: number
}

/**
 * Addresses of API servers and of Services, asked for from time to time; they hardly ever change. Ranges of Services come from ServiceCIDRs, which there are
 * from Kubernetes 1.33 on; before, the cluster tells of no range, and only the address of the Service `kubernetes` is known without configuration.
 */
export class ClusterAddressesPoller {
  readonly #options: ClusterAddressesOptions
  #present: ClusterAddresses = { apiServers: new Set(), serviceRanges: [] }
  readonly #known = Promise.withResolvers<void>()

  constructor(options: ClusterAddressesOptions) {
    this.#options = options
  }

  get present(): ClusterAddresses {
    return this.#present
  }

  /** Resolves when the cluster has told them once: before, nothing may be sent. Throws the reason of the signal. */
  async synced(signal?: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<never>()
    const stop = () => stopped.reject(signal!.reason as Error)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      signal?.throwIfAborted()
      await Promise.race([this.#known.promise, stopped.promise])
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs = 30_000, logger } = this.#options
    for (let failures = 0; !signal.aborted;) {
      try {
        this.#present = await this.#ask(signal)
        this.#known.resolve()
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        failures += 1
        logger.warn({ err: error }, 'addresses of the cluster not read, will be tried again')
      }
      const delayMs = failures === 0 ? intervalMs : Math.min(intervalMs, 100 * 2 ** failures)
      await sleep(delayMs, undefined, { signal }).catch(() => {})
    }
  }

  async #ask(signal: AbortSignal): Promise<ClusterAddresses> {
    const { client, serviceRanges } = this.#options
    const [slice, service, ranges] = await Promise.all([
      orAbsent(client.get(endpointSliceKind, apiService, signal)),
      orAbsent(client.get(serviceKind, apiService, signal)),
      orAbsent(client.list(serviceCIDRKind, {}, signal)),
    ])
    const endpoints = (slice?.endpoints ?? []).flatMap(({ addresses }) => addresses)
    const apiServers = new Set(endpoints.flatMap((address) => canonicalAddress(address) ?? []))
    const own = (service?.spec?.clusterIPs ?? []).map((address) => `${address}/${address.includes(':') ? 128 : 32}`)
    const all = [...serviceRanges, ...own, ...(ranges?.items ?? []).flatMap(({ spec }) => spec?.cidrs ?? [])].toSorted()
    listOf(all)
    // The same list as long as nothing changed.
    const same = all.join() === this.#present.serviceRanges.join()
    return { apiServers, serviceRanges: same ? this.#present.serviceRanges : all }
  }
}

async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
