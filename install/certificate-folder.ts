import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { EnrolmentError } from './enrolment-error.ts'
import type { CertificateFiles } from './verify.ts'

/** Where the agent looks for its certificate unless told otherwise. */
export const defaultFolder = '/var/lib/keelson/tls'

const files = { bundle: 'ca.crt', certificate: 'tls.crt', key: 'tls.key' } as const

/**
 * The folder that the agent reads, and beside it the one in which the next content of it is made: first the key, which never leaves it, then the
 * rest; then one rename puts all of it in place. So the folder never holds a certificate and the key of another.
 */
export class CertificateFolder {
  readonly #folder: string
  readonly #pending: string
  readonly #replaced: string

  /** @throws EnrolmentError `FolderUnusable` unless the path is absolute */
  constructor(folder: string) {
    if (!isAbsolute(folder) || resolve(folder) === '/')
      throw new EnrolmentError('FolderUnusable', `the folder ${folder} must be an absolute path and not the root`)
    this.#folder = resolve(folder)
    this.#pending = `${this.#folder}.pending`
    this.#replaced = `${this.#folder}.replaced`
  }

  /** What the agent has now; undefined where a part is missing. */
  async installed(): Promise<CertificateFiles | undefined> {
    return this.#read(this.#folder)
  }

  /** What a try that was cut off had complete, but not put in place. */
  async complete(): Promise<CertificateFiles | undefined> {
    return this.#read(this.#pending)
  }

  /** The key of a try that is under way, or else a fresh one, which is on disk when this resolves. */
  async pendingKey(make: () => string): Promise<string> {
    const present = await read(join(this.#pending, files.key))
    if (present !== undefined && present !== '') return present
    const key = make()
    await mkdir(dirname(this.#folder), { recursive: true, mode: 0o700 }).catch(unusable(this.#folder))
    await mkdir(this.#pending, { recursive: true, mode: 0o700 }).catch(unusable(this.#pending))
    await write(join(this.#pending, files.key), key)
    await sync(this.#pending)
    return key
  }

  /** Puts the certificate in place, with the pending key. */
  async install({ certificate, bundle }: Omit<CertificateFiles, 'key'>): Promise<void> {
    await write(join(this.#pending, files.certificate), certificate)
    await write(join(this.#pending, files.bundle), bundle)
    await sync(this.#pending)
    await this.putInPlace()
  }

  /** For a moment there is no folder, where there was one before; what is cut off then is found complete by the next try. */
  async putInPlace(): Promise<void> {
    await rm(this.#replaced, { recursive: true, force: true })
    await rename(this.#folder, this.#replaced).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') unusable(this.#folder)(error)
    })
    await rename(this.#pending, this.#folder).catch(unusable(this.#folder))
    await sync(dirname(this.#folder))
    await rm(this.#replaced, { recursive: true, force: true })
  }

  /** After a refusal: the next try makes another key. */
  async discard(): Promise<void> {
    await rm(this.#pending, { recursive: true, force: true })
  }

  async #read(folder: string): Promise<CertificateFiles | undefined> {
    const [bundle, certificate, key] = await Promise.all(
      [files.bundle, files.certificate, files.key].map((name) => read(join(folder, name))),
    )
    if (bundle === undefined || certificate === undefined || key === undefined) return undefined
    return { bundle, certificate, key }
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return unusable(path)(error)
  }
}

async function write(path: string, content: string): Promise<void> {
  try {
    await using file = await open(path, 'w', 0o600)
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    unusable(path)(error)
  }
}

/** Only this makes names in a folder survive a power cut. */
async function sync(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

function unusable(path: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new EnrolmentError(
      'FolderUnusable',
      `${path} cannot be used (${code}): this must run as root, and where it makes folders there must not be files`,
      error,
    )
  }
}
