import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, fileError, ResourceError } from './resource-error.ts'
import { runProgram, type ProgramLimits, type ProgramOutput } from './program.ts'

const defaultMaxBytes = 64 * 1024

/**
 * The machine that resource types read and change. Every path and every program is looked up below `root`: `/` on a host, a temporary
 * folder in a test, so that the same code runs on both.
 */
export class System {
  readonly root: string

  constructor(root = '/') {
    this.root = root
  }

  /** Where a host's absolute path lies on this machine. */
  path(absolute: string): string {
    return join(this.root, absolute)
  }

  /**
   * The bytes of a file, at most `maxBytes` (64 KiB unless told). Sizes in /proc and /sys are not to be believed, so it reads to the end.
   * Throws the system call's own error, or `ResourceError` with code `FileTooLarge`.
   */
  async read(absolute: string, maxBytes = defaultMaxBytes): Promise<Buffer> {
    await using file = await open(this.path(absolute), 'r')
    const buffer = Buffer.allocUnsafe(maxBytes + 1)
    const length = await fill(file, buffer)
    if (length <= maxBytes) return Buffer.from(buffer.subarray(0, length))
    throw new ResourceError('act', 'FileTooLarge', `${absolute}: larger than ${maxBytes} bytes`)
  }

  /** As `read`; `undefined` where there is no such file. Throws `ResourceError` only. */
  async readIfPresent(absolute: string, maxBytes?: number): Promise<Buffer | undefined> {
    try {
      return await this.read(absolute, maxBytes)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error instanceof ResourceError ? error : fileError(absolute, error)
    }
  }

  /** Runs the program `argv[0]`, an absolute path, with the rest as its arguments. Errors: see `runProgram`. */
  async run(
    argv: readonly [program: string, ...args: string[]],
    limits: ProgramLimits,
    signal: AbortSignal,
  ): Promise<ProgramOutput> {
    const [program, ...args] = argv
    return runProgram(this.path(program), args, limits, signal)
  }
}

async function fill(file: FileHandle, buffer: Buffer): Promise<number> {
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length
}
