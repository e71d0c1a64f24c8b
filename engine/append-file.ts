import { mkdir, open, readFile, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from './atomic-file.ts'
import { errnoOf, fileError } from './resource-error.ts'

/**
 * A file that only grows, until it is replaced as a whole. Mode 0600; its folder is made where it is missing.
 *
 * Every method throws `ResourceError` of kind `act` (see `fileError`). After one has failed, what the file holds at its end is not known (a
 * part of a line; bytes that the kernel took and then dropped): only a `replace` makes it whole again.
 */
export class AppendFile {
  readonly #path: string
  #handle: FileHandle | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** All that it holds; nothing where there is no such file. */
  async read(): Promise<Buffer> {
    try {
      return await readFile(this.#path)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return Buffer.alloc(0)
      throw fileError(this.#path, error)
    }
  }

  /** Comes before the first `append`. Atomic and durable: after a power cut the file holds the old bytes or the new ones. */
  async replace(content: Buffer): Promise<void> {
    const folder = dirname(this.#path)
    // One name, used again: what a crash has left there is overwritten by the next attempt.
    const temporary = `${this.#path}.new`
    await this.close()
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const handle = await open(temporary, 'w', 0o600)
      this.#handle = handle
      await handle.writeFile(content)
      await handle.sync()
      await rename(temporary, this.#path)
      await syncFolder(folder)
    } catch (error) {
      await this.close()
      throw fileError(this.#path, error)
    }
  }

  /** Survives the end of this process once it resolves, and a power cut only after the next `sync`. */
  async append(bytes: Buffer): Promise<void> {
    await this.#do(async (handle) => handle.appendFile(bytes))
  }

  async sync(): Promise<void> {
    await this.#do(async (handle) => handle.datasync())
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    // Nothing is promised of what was not synced.
    await handle?.close().catch(() => undefined)
  }

  async #do(act: (handle: FileHandle) => Promise<void>): Promise<void> {
    if (this.#handle === undefined) throw new TypeError('replace comes before append and sync')
    try {
      await act(this.#handle)
    } catch (error) {
      throw fileError(this.#path, error)
    }
  }
}
