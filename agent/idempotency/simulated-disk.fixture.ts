import { ResourceError } from '@keelson/engine'
import type { RecordFile } from './delivery-records.ts'

/** What happens at one of the steps that a machine takes. */
export type Mishap = {
  /** Counted from 1: operations of the disk, and what else calls `step`. */
  readonly step: number
  /** `kill`: the process ends. `power`: the machine does. `fail`: the operation throws. */
  readonly what: 'kill' | 'power' | 'fail'
  /** How much of what is under way, or of what was not synced, gets through: 0 to 1. */
  readonly part: number
}

/**
 * One file on a disk, and the machine over it. At a `kill` or a `power` cut nothing goes on: what was called never comes back, `crashed`
 * resolves, and `reopened` is the disk as the next process finds it.
 */
export class SimulatedDisk implements RecordFile {
  /** What the kernel has. */
  #written: Buffer
  /** What the platter has. */
  #synced: Buffer
  #steps = 0
  #mishap: Mishap | undefined
  readonly #crash = Promise.withResolvers<Mishap>()
  #dead = false

  readonly #pause: () => Promise<void>

  /** @param pause what each step takes */
  constructor(content: Buffer = Buffer.alloc(0), pause: () => Promise<void> = async () => undefined) {
    this.#written = content
    this.#synced = content
    this.#pause = pause
  }

  get crashed(): Promise<Mishap> {
    return this.#crash.promise
  }

  /** Undefined while the machine runs. */
  get crash(): Mishap['what'] | undefined {
    return this.#dead ? this.#mishap?.what : undefined
  }

  /** From here on the steps are counted anew. */
  await(mishap: Mishap | undefined): void {
    this.#steps = 0
    this.#mishap = mishap
  }

  /** As the next process finds it. */
  reopened(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#written)
    if (this.crash !== 'power') disk.#synced = this.#synced
    return disk
  }

  /** Something else than the disk that takes its time, and cannot fail. */
  async step(): Promise<void> {
    await this.#do()
  }

  async read(): Promise<Buffer> {
    await this.step()
    return this.#written
  }

  async replace(content: Buffer): Promise<void> {
    await this.#do((part) => {
      // By rename: the old or the new.
      if (part < 1) return
      this.#written = content
      this.#synced = content
    })
  }

  async append(bytes: Buffer): Promise<void> {
    await this.#do((part) => {
      this.#written = Buffer.concat([this.#written, bytes.subarray(0, Math.floor(bytes.length * part))])
    })
  }

  async sync(): Promise<void> {
    await this.#do((part) => {
      if (part === 1) this.#synced = this.#written
    })
  }

  async #do(effect?: (part: number) => void): Promise<void> {
    await this.#pause()
    if (this.#dead) return new Promise(() => undefined)
    this.#steps++
    if (this.#mishap?.step !== this.#steps) return effect?.(1)
    const { what, part } = this.#mishap
    if (what === 'fail' && effect === undefined) return undefined
    effect?.(part)
    if (what === 'fail') throw new ResourceError('act', part < 0.5 ? 'NoSpace' : 'FileFailed', 'the disk failed')
    this.#dead = true
    if (what === 'power') this.#losePower(part)
    this.#crash.resolve(this.#mishap)
    return new Promise(() => undefined)
  }

  /** Of what was not synced the first part is there, and behind it as much again that is only zeros. */
  #losePower(part: number): void {
    const lost = this.#written.subarray(this.#synced.length)
    const kept = Math.floor(lost.length * part)
    const zeros = Math.min(lost.length - kept, kept)
    this.#written = Buffer.concat([this.#synced, lost.subarray(0, kept), Buffer.alloc(zeros)])
  }
}
