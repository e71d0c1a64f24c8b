import { isIPv6 } from 'node:net'
import type { Clock } from '../clock.ts'
import { ProblemError } from './problem-error.ts'
import { RateLimiter } from './rate-limiter.ts'

/** Passwords are guessed against an account from many addresses, and against many accounts from one: both are counted, failures alone. */
const signInsOfAccount = { burst: 10, intervalMs: 60_000 }
const signInsOfAddress = { burst: 20, intervalMs: 30_000 }
/** Far more than pages need. */
const calls = { burst: 300, intervalMs: 20 }

export class CallLimits {
  readonly #signInsOfAccount: RateLimiter
  readonly #signInsOfAddress: RateLimiter
  readonly #callsOfAccount: RateLimiter
  readonly #callsOfAddress: RateLimiter

  constructor(clock: Clock) {
    this.#signInsOfAccount = new RateLimiter(signInsOfAccount, clock)
    this.#signInsOfAddress = new RateLimiter(signInsOfAddress, clock)
    this.#callsOfAccount = new RateLimiter(calls, clock)
    this.#callsOfAddress = new RateLimiter(calls, clock)
  }

  /** @throws ProblemError 429 */
  spendOfAddress(address: string): void {
    demand(this.#callsOfAddress.spend(networkOf(address)))
  }

  /** @throws ProblemError 429 */
  spendOfAccount(account: string): void {
    demand(this.#callsOfAccount.spend(account))
  }

  /**
   * Counts an attempt to sign in, before the password is looked at: attempts side by side count too.
   *
   * @returns takes it back: the attempt was no guess
   * @throws ProblemError 429
   */
  spendSignIn(account: string, address: string): () => void {
    const network = networkOf(address)
    demand(this.#signInsOfAddress.spend(network))
    const waitMs = this.#signInsOfAccount.spend(account)
    if (waitMs > 0) this.#signInsOfAddress.refund(network)
    demand(waitMs)
    return () => {
      this.#signInsOfAccount.refund(account)
      this.#signInsOfAddress.refund(network)
    }
  }
}

function demand(waitMs: number): void {
  if (waitMs === 0) return
  const retryAfterSeconds = Math.ceil(waitMs / 1_000)
  const message = `too many calls: wait ${retryAfterSeconds} s`
  throw new ProblemError(429, { code: 'TooManyCalls', message, retryAfterSeconds })
}

/** The /64 of an IPv6 address: its customer has all of them. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [mapped] = /(?<=^::ffff:)\d+\.\d+\.\d+\.\d+$/i.exec(address) ?? []
  if (mapped !== undefined) return mapped
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]!.split('::')
  const left = head.split(':').filter((group) => group !== '')
  const right = (tail ?? '').split(':').filter((group) => group !== '')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
