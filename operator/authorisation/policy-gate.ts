import type { HostRequest } from '@keelson/api'
import { NotFoundError, type Kind, type KubeClient, type Reflector } from '@keelson/kube'
import type { Refusal } from '../requests/verdict.ts'
import { policyFault, unauthorised, wantedPolicies, type PolicyObject, type WantedPolicy } from './request-policies.ts'

export type PolicyGateOptions = {
  readonly client: KubeClient
  readonly reflect: (kind: Kind<PolicyObject>, fieldSelector: string) => Reflector<PolicyObject>
}

/**
 * Whether the API server asks who may target which host and have which Secret sent. Nothing is sent while it does not: no run begins, and those under way come to rest until it does
 * again. A request is run only if it was asked about, which is judged when its run begins, by what the API server holds at that moment and not by what a
 * watch has told so far.
 */
export class PolicyGate {
  readonly #client: KubeClient
  /** One for each of `wantedPolicies`: the operator may read these objects alone. */
  readonly sources: readonly Reflector<PolicyObject>[]

  constructor({ client, reflect }: PolicyGateOptions) {
    this.#client = client
    this.sources = wantedPolicies.map(({ of, name }) => reflect(of, `metadata.name=${name}`))
  }

  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.sources.map((source) => source.synced(signal)))
  }

  /** Why nothing may be sent at present, as far as the watches have told. */
  fault(): Refusal | undefined {
    return policyFault(this.sources.map(({ store }, index) => store.get(wantedPolicies[index]!.name)))
  }

  /** Calls the listener whenever `fault` may say something else. */
  onChange(listener: () => void): void {
    for (const source of this.sources) source.onChange(() => listener())
  }

  /** Why a request that was just read may not be run. */
  async refusalOf(request: HostRequest, signal: AbortSignal): Promise<Refusal | undefined> {
    const found = await Promise.all(wantedPolicies.map((wanted) => this.#read(wanted, signal)))
    return (
      policyFault(found) ??
      unauthorised(
        request,
        found.filter((object) => object !== undefined),
      )
    )
  }

  async #read({ of, name }: WantedPolicy, signal: AbortSignal): Promise<PolicyObject | undefined> {
    try {
      return await this.#client.get(of, { name }, signal)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }
}
