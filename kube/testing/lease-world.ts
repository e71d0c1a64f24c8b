import { getEventListeners } from 'node:events'
import type { KubeClient } from '../client.ts'
import type { Clock } from '../clock.ts'
import { AlreadyExistsError, ConflictError, ConnectionError, NotFoundError } from '../errors.ts'
import type { Lease } from '../kinds.ts'
import { runAsLeader, type LeaderElectionOptions } from '../leader-election.ts'
import type { Leadership } from '../leadership.ts'

/** What becomes of one request: delays in milliseconds, and whether it or its answer is lost, noticed by the client as a reset or not at all. */
export interface Delivery {
  readonly there: number
  readonly back: number
  readonly lost?: 'request' | 'answer' | undefined
  readonly silent?: boolean | undefined
}

interface Event {
  readonly at: number
  readonly process: LeaseProcess | undefined
  readonly run: () => void
}

const prompt: Delivery = { there: 5, back: 5 }

/**
 * One Lease on a server that checks preconditions, and processes that want it, in virtual time: delays, losses and pauses of any length cost nothing and
 * come out the same each time.
 */
export class LeaseWorld {
  now = 0
  down = false
  lease: Lease | undefined
  /** Every write that changed something. */
  readonly writes: { readonly at: number; readonly by: LeaseProcess | undefined; readonly spec: Lease['spec'] }[] = []
  readonly processes: LeaseProcess[] = []
  /** Asked for each request; tests replace it. */
  deliver: (process: LeaseProcess) => Delivery = () => prompt
  /** Called after each event. */
  observe: () => void = () => {}
  #version = 0
  #events: Event[] = []

  start(options: ProcessOptions = {}): LeaseProcess {
    const process = new LeaseProcess(this, `process-${this.processes.length}`, options)
    this.processes.push(process)
    return process
  }

  get leader(): LeaseProcess | undefined {
    return this.processes.find((process) => process.leads)
  }

  /** Lets time pass; all that is due happens in order, and each event to its end before the next. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.now + milliseconds
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      this.observe()
      const next = this.#events.reduce<Event | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined)
      if (!next || next.at > until) break
      this.#events = this.#events.filter((event) => event !== next)
      this.now = Math.max(this.now, next.at)
      if (next.process === undefined) next.run()
      else next.process.receive(next.run)
    }
    this.now = until
  }

  /** Lets time pass until the condition holds. */
  async until(what: string, condition: () => boolean, withinMs: number): Promise<void> {
    const end = this.now + withinMs
    while (!condition()) {
      if (this.now >= end) throw new Error(`${what}: not within ${withinMs} ms`)
      await this.advance(50)
    }
  }

  /** Of a process that is stopped or dead: see there. Returns how to cancel. */
  schedule(delayMs: number, process: LeaseProcess | undefined, run: () => void): () => void {
    const event = { at: this.now + delayMs, process, run }
    this.#events.push(event)
    return () => (this.#events = this.#events.filter((each) => each !== event))
  }

  write(spec: Lease['spec'], by?: LeaseProcess): Lease {
    // As the API server does: what changes nothing makes no new version.
    if (this.lease !== undefined && JSON.stringify(spec) === JSON.stringify(this.lease.spec)) return this.lease
    const metadata = { name: 'leader', namespace: 'default', resourceVersion: String(++this.#version) }
    this.lease = { metadata, spec }
    this.writes.push({ at: this.now, by, spec })
    return this.lease
  }
}

export interface ProcessOptions extends Partial<LeaderElectionOptions> {
  /** Seconds of its clock in a second. Default 1. */
  readonly rate?: number
  /** How long its work goes on after its signal. Default 0. */
  readonly windUpMs?: number
  /** Instead of work that goes on until it is told to stop. */
  readonly work?: (leadership: Leadership) => Promise<void>
}

/** A candidate that runs the real election on a clock of its own. */
export class LeaseProcess {
  readonly name: string
  readonly ended: Promise<void>
  readonly leaderships: Leadership[] = []
  readonly errors: unknown[] = []
  readonly holders: string[] = []
  /** How it ended, once it has. */
  outcome: { readonly error?: unknown } | undefined
  readonly clock: Clock
  readonly #world: LeaseWorld
  readonly #stop = new AbortController()
  readonly #options: ProcessOptions
  #state: 'running' | 'paused' | 'dead' = 'running'
  #missed: (() => void)[] = []

  constructor(world: LeaseWorld, name: string, options: ProcessOptions) {
    this.#world = world
    this.#options = options
    this.name = name
    const { rate = 1 } = options
    // An offset, so that a number from one clock means nothing on another.
    const offset = 1_000_000 * (world.processes.length + 1)
    this.clock = {
      now: () => offset + world.now * rate,
      schedule: (delayMs, callback) => world.schedule(delayMs / rate, this, callback),
    }
    const election = {
      lease: { namespace: 'default', name: 'leader' },
      identity: name,
      clock: this.clock,
      random: () => 0.5,
      wallClock: () => new Date(0),
      onError: (error: unknown) => this.errors.push(error),
      onHolder: (holder: string) => this.holders.push(holder),
      ...options,
      client: this.#client(),
    }
    this.ended = runAsLeader(election, (leadership) => this.#work(leadership), this.#stop.signal).then(
      () => void (this.outcome = {}),
      (error: unknown) => void (this.outcome = { error }),
    )
  }

  get state(): 'running' | 'paused' | 'dead' | 'ended' {
    return this.outcome === undefined ? this.#state : 'ended'
  }

  get leadership(): Leadership | undefined {
    return this.leaderships.at(-1)
  }

  /** How many wait for its SIGTERM. */
  get listeners(): number {
    return getEventListeners(this.#stop.signal, 'abort').length
  }

  /** It runs, and believes at this moment that it is the leader. */
  get leads(): boolean {
    return this.#state === 'running' && this.leadership?.isHeld() === true
  }

  /** SIGTERM */
  stop(): void {
    this.receive(() => this.#stop.abort(new Error('stop')))
  }

  /** SIGKILL */
  kill(): void {
    this.#state = 'dead'
    this.#missed = []
  }

  /** SIGSTOP: its clock goes on, nothing else does. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  /** SIGCONT: all that it missed comes at once, in one order or the other. */
  resume(order: 'first-come' | 'last-come' = 'first-come'): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    const missed = this.#missed.splice(0)
    if (order === 'last-come') missed.reverse()
    for (const run of missed) this.#world.schedule(0, this, run)
  }

  receive(run: () => void): void {
    if (this.#state === 'paused') this.#missed.push(run)
    else if (this.#state === 'running') run()
  }

  async #work(leadership: Leadership): Promise<void> {
    this.leaderships.push(leadership)
    const { work, windUpMs = 0 } = this.#options
    if (work !== undefined) return work(leadership)
    const { promise, resolve } = Promise.withResolvers<void>()
    leadership.signal.addEventListener('abort', () => this.clock.schedule(windUpMs, resolve), { once: true })
    return promise
  }

  #client(): LeaderElectionOptions['client'] {
    const world = this.#world
    const call = (signal: AbortSignal | undefined, serve: () => Lease): Promise<Lease> => {
      const { there, back, lost, silent } = world.deliver(this)
      const { promise, resolve, reject } = Promise.withResolvers<Lease>()
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      const reset = (): void => {
        if (silent === true) return
        const error = new ConnectionError({ code: 'ConnectionFailed', message: 'reset', retryable: true })
        world.schedule(back, this, () => reject(error))
      }
      world.schedule(there, undefined, () => {
        if (world.down || lost === 'request') return reset()
        let answer: () => void
        try {
          const lease = serve()
          answer = () => resolve(lease)
        } catch (error) {
          answer = () => reject(error)
        }
        if (lost === 'answer') return reset()
        world.schedule(back, this, answer)
      })
      return promise
    }
    return {
      get: (_kind, _name, signal) =>
        call(signal, () => {
          if (world.lease === undefined) throw new NotFoundError({ code: 'NotFound', message: 'absent' })
          return world.lease
        }),
      create: (_kind, { spec }: Partial<Lease>, _options, signal) =>
        call(signal, () => {
          if (world.lease !== undefined) throw new AlreadyExistsError({ code: 'AlreadyExists', message: 'there' })
          return world.write(spec, this)
        }),
      update: (_kind, { metadata, spec }: Lease, _options, signal) =>
        call(signal, () => {
          if (world.lease === undefined) throw new NotFoundError({ code: 'NotFound', message: 'absent' })
          if (metadata.resourceVersion !== world.lease.metadata.resourceVersion) {
            throw new ConflictError({ code: 'Conflict', message: 'the object has been modified' })
          }
          return world.write(spec, this)
        }),
    } as Pick<KubeClient, 'get' | 'create' | 'update'>
  }
}
