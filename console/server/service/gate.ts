import {
  abortable,
  defineKind,
  kinds,
  systemClock,
  type Clock,
  type KubeClient,
  type KubernetesObject,
} from '@keelson/kube'
import type { ResourceAttributes } from '@keelson/kube'
import { ownCall } from './own-call.ts'
import type { PersonClients } from './person-clients.ts'
import { userOf } from './users.ts'

/** What somebody may do or not, in the words of RBAC. */
export type Act = ResourceAttributes

export interface GateOptions {
  /** The console's own, which may make SubjectAccessReviews. */
  readonly client: KubeClient
  /** Who is gone may do nothing, whatever the bindings say that were left behind. */
  readonly people: Pick<PersonClients, 'for'>
  readonly clock?: Clock
  /** How long an answer holds, in milliseconds. Default 30 s. */
  readonly rememberMs?: number
  /** Answers kept. Default 10,000. */
  readonly limit?: number
}

interface Answer {
  readonly allowed: Promise<boolean>
  readonly askedAt: number
}

const selfSubjectReview = defineKind<KubernetesObject>({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
})

/** Whether an account may see what the console has read with its own rights. All that a person does is decided by Kubernetes itself, not here. */
export class Gate {
  readonly #options: GateOptions
  readonly #clock: Clock
  readonly #rememberMs: number
  readonly #limit: number
  /** The oldest first. */
  readonly #answers = new Map<string, Answer>()

  constructor(options: GateOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#rememberMs = options.rememberMs ?? 30_000
    this.#limit = options.limit ?? 10_000
  }

  /**
   * Kubernetes' own answer, remembered for half a minute.
   *
   * @throws KubeError `AccountMissing` where the ServiceAccount is gone, `ConsoleRefused`, or whatever kept the API server from answering.
   */
  async allows(account: string, act: Act, signal?: AbortSignal): Promise<boolean> {
    const [, allowed] = await Promise.all([
      this.#remembered(account, signal, () => this.#isThere(account)),
      this.#remembered(`${account} ${textOf(act)}`, signal, () => this.#ask(account, act)),
    ])
    return allowed
  }

  /** One question for all who ask the same; whoever gives up does not end it for the others. */
  async #remembered(key: string, signal: AbortSignal | undefined, ask: () => Promise<boolean>): Promise<boolean> {
    const now = this.#clock.now()
    let answer = this.#answers.get(key)
    if (answer === undefined || answer.askedAt + this.#rememberMs <= now) {
      const fresh: Answer = { allowed: ask(), askedAt: now }
      this.#answers.delete(key)
      this.#answers.set(key, fresh)
      fresh.allowed.catch(() => this.#answers.get(key) === fresh && this.#answers.delete(key))
      for (const oldest of this.#answers.keys()) {
        if (this.#answers.size <= this.#limit) break
        this.#answers.delete(oldest)
      }
      answer = fresh
    }
    return abortable(answer.allowed, signal)
  }

  async #ask(account: string, resourceAttributes: Act): Promise<boolean> {
    const spec = { ...userOf(account), resourceAttributes }
    const review = this.#options.client.review(kinds.SubjectAccessReview, { spec })
    const { status } = await ownCall('ask who may do what', review)
    return status?.allowed === true
  }

  /** The API server looks the ServiceAccount of each token up. */
  async #isThere(account: string): Promise<boolean> {
    await this.#options.people.for(account).review(selfSubjectReview, {})
    return true
  }
}

function textOf({ verb, group, resource, subresource = '', namespace = '', name = '' }: Act): string {
  return [verb, group, resource, subresource, namespace, name].join(' ')
}
