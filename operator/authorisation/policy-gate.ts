import { targetPolicy, targetPolicyBinding, type HostRequest } from '@keelson/api'
import { NotFoundError, type Kind, type KubeClient, type Reflector } from '@keelson/kube'
import type { Refusal } from '../requests/verdict.ts'
import { policyBindingKind, policyFault, policyKind, unauthorised, type PolicyObject } from './target-policy.ts'

export type PolicyGateOptions = {
  readonly client: KubeClient
  readonly reflect: (kind: Kind<PolicyObject>, fieldSelector: string) => Reflector<PolicyObject>
}

const { name } = targetPolicy.metadata
const bindingName = targetPolicyBinding.metadata.name

/**
 * Whether the API server asks who may target which host. Nothing is sent while it does not: no run begins, and those under way come to rest until it does
 * again. A request is run only if it was asked about, which is judged when its run begins, by what the API server holds at that moment and not by what a
 * watch has told so far.
 */
export class PolicyGate {
  readonly #client: KubeClient
  readonly #policies: Reflector<PolicyObject>
  readonly #bindings: Reflector<PolicyObject>

  constructor({ client, reflect }: PolicyGateOptions) {
    this.#client = client
    this.#policies = reflect(policyKind, `metadata.name=${name}`)
    this.#bindings = reflect(policyBindingKind, `metadata.name=${bindingName}`)
  }

  get sources(): readonly Reflector<PolicyObject>[] {
    return [this.#policies, this.#bindings]
  }

  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.sources.map((source) => source.synced(signal)))
  }

  /** Why nothing may be sent at present, as far as the watches have told. */
  fault(): Refusal | undefined {
    return policyFault(this.#policies.store.get(name), this.#bindings.store.get(bindingName))
  }

  /** Calls the listener whenever `fault` may say something else. */
  onChange(listener: () => void): void {
    for (const source of this.sources) source.onChange(() => listener())
  }

  /** Why a request that was just read may not be run. */
  async refusalOf(request: HostRequest, signal: AbortSignal): Promise<Refusal | undefined> {
    const [policy, binding] = await Promise.all([
      this.#read(policyKind, name, signal),
      this.#read(policyBindingKind, bindingName, signal),
    ])
    return policyFault(policy, binding) ?? unauthorised(request, policy!, binding!)
  }

  async #read(kind: Kind<PolicyObject>, objectName: string, signal: AbortSignal): Promise<PolicyObject | undefined> {
    try {
      return await this.#client.get(kind, { name: objectName }, signal)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }
}
