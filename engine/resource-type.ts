import type { z } from 'zod'
import type { System } from './system.ts'

/** What a resource is like, for people and programs: name of a field → its value. What is not there has no field. */
export type Fields = Readonly<Record<string, string>>

/** One field that is not as wanted. */
export type Change = { readonly field: string; readonly from: string; readonly to: string }

/** What is to be done on a host, before anything is done. */
export type Plan<Desired, State> = {
  readonly state: State
  readonly desired: Desired
  readonly changes: readonly Change[]
}

/**
 * One kind of thing that a host has: a file in resources/, with its test. `Subject` says which of them is meant, `Desired` also how it is
 * to be, `State` is what was found: a subject too, as a unit that was asked for by an alias is found under its own name.
 *
 * Every method throws `ResourceError`: `read` may refuse the subject (kind `parameter`), `diff` what the host's state stands against (kind
 * `state`), `apply` reports what failed (kind `act`, or `parameter` where only the kernel could judge the value).
 */
export interface ResourceType<Subject = unknown, Desired extends Subject = Subject, State extends Subject = Subject> {
  /** Last segment of its path on the agent, and the RBAC subresource of hosts. */
  readonly name: string
  /** Of its parameters and fields; facts name it, so that an operator knows what an older agent understands. */
  readonly version: 1
  /** Grammar of a GET's query, given as an object of strings. */
  readonly query: z.ZodType<Subject>
  /** Grammar of a POST's body, given as an object of strings. */
  readonly body: z.ZodType<Desired>

  read(system: System, subject: Subject, signal: AbortSignal): Promise<State>

  fields(state: State): Fields

  /** Pure, so that a plan is this same function and cannot promise anything else. Nothing to do is an empty list. */
  diff(state: State, desired: Desired): readonly Change[]

  /** Makes the plan's changes, which are never none, to run and to last. */
  apply(system: System, plan: Plan<Desired, State>, signal: AbortSignal): Promise<void>
}
