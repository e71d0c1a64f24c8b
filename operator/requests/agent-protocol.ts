import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '@keelson/api'
import { deliver, type Delivery, type DeliveryRequest } from '../delivery/deliver.ts'
import type { Endpoint, HostPools } from '../delivery/host-pools.ts'
import type { WriteOrder } from '../delivery/write-order.ts'

/** An agent has seen a later leader than us: nothing was done there, and nothing more may be sent in our name. */
export class SupersededError extends Error {
  readonly code = 'Superseded'
  constructor(ours: number, theirs: number) {
    super(
      `nothing was done: the agent has seen epoch ${theirs}, ours is ${ours}; another operator leads, or its Lease was lost`,
    )
    this.name = 'SupersededError'
  }
}

export type AgentWrite = Omit<DeliveryRequest, 'headers' | 'repeatable' | 'use'> & { readonly idempotencyKey: string }

export type AgentPorts = {
  readonly pools: HostPools
  readonly order: WriteOrder
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Connections lost one after another; an agent that is started anew needs a second. */
const maxLost = 4
/** Of one leader's writes some may overtake each other; so often it is no accident. */
const maxOvertaken = 8
const maxWaitMs = 1_000

/**
 * A write to an agent. The agent does what bears one key once and answers each repetition from its record (docs/agent.md), so after a lost answer it
 * is asked again with the same key until it tells what became of the first, within `timeoutMs`.
 *
 * @returns the agent's last word; `InFlight` where it was still at it when the time was over
 * @throws SupersededError; the reason of `signal`
 */
export async function writeToAgent(
  { pools, order, random }: AgentPorts,
  endpoint: Endpoint,
  { idempotencyKey, timeoutMs, ...request }: AgentWrite,
  signal: AbortSignal,
): Promise<Delivery> {
  const endsAt = performance.now() + timeoutMs
  let last: Delivery | undefined
  let [lost, overtaken, atIt] = [0, 0, false]
  for (let asked = 1; ; asked += 1) {
    const remainingMs = endsAt - performance.now()
    if (remainingMs <= 0 && last !== undefined) return last
    const headers = { 'idempotency-key': idempotencyKey, ...order.headers() }
    const whole = { ...request, headers, timeoutMs, leftMs: remainingMs, repeatable: true }
    const delivery = await deliver(pools, endpoint, { ...whole, use: asked === 1 ? 'Kept' : 'Fresh' }, signal)
    if (delivery.answered) {
      const told = delivery.statusCode === 409 ? agentWords(delivery.body) : undefined
      if (told?.code === 'Superseded') {
        pass(order, delivery)
        overtaken += 1
        last ??= delivery
        if (overtaken > maxOvertaken) return delivery
        continue
      }
      if (told?.code !== 'InFlight') return delivery
      atIt = true
      last = delivery
    } else {
      const { unanswered, reason } = delivery.failure
      // Nothing was ever sent: it has failed for certain. After a loss the words of the loss are what counts.
      if (!unanswered && lost === 0 && last === undefined) return delivery
      // That it is at it is more than that one connection brought no answer.
      if (unanswered && !atIt) last = delivery
      lost += 1
      if (lost >= maxLost || reason === 'AnswerTooLarge' || delivery.failure.code !== undefined) return last ?? delivery
    }
    const waitMs = Math.min(maxWaitMs, 50 * 2 ** asked) * (0.5 + random() / 2)
    await sleep(Math.max(0, Math.min(waitMs, endsAt - performance.now())), undefined, { signal })
  }
}

/** @throws SupersededError where the agent has seen a later leader */
function pass(order: WriteOrder, { headers }: Delivery & { readonly answered: true }): void {
  const [epoch, sequence] = [headers['keelson-epoch'], headers['keelson-sequence']].map(Number)
  if (epoch !== undefined && epoch > order.epoch) throw new SupersededError(order.epoch, epoch)
  if (epoch === order.epoch && Number.isSafeInteger(sequence)) order.pass(sequence!)
}

/** An agent says what was wrong, over a connection that proved who it is. What others answer is not repeated: it may be anything. */
export function agentWords(body: Buffer): AgentError | undefined {
  try {
    return AgentError.safeParse(JSON.parse(body.toString('utf8'))).data
  } catch {
    return undefined
  }
}
