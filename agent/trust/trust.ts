import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { replaceFile, type Parameters } from '@keelson/engine'
import type { AgentConfig } from '../config.ts'
import { Refusal } from '../refusal.ts'
import { certificateRequest } from './certificate-request.ts'
import { judgeTrust, type Holder } from './judge-trust.ts'
import { encodeIdentity, enrolledCertificate, trustPaths, type TlsMaterial } from './tls-material.ts'

export type TrustOptions = {
  readonly config: AgentConfig
  readonly tls: TlsMaterial
  /** Of the wall, milliseconds since 1970. */
  readonly now: () => number
  /** From now on shows these to new connections. */
  readonly serve: (material: TlsMaterial) => void
}

/** The agent's own identity, and how the operator renews it. The key never leaves the host. Calls do not overlap. */
export class Trust {
  readonly #options: TrustOptions
  readonly #paths: ReturnType<typeof trustPaths>
  #tls: TlsMaterial

  constructor(options: TrustOptions) {
    this.#options = options
    this.#paths = trustPaths(options.config.state)
    this.#tls = options.tls
  }

  /** A signing request for a new key, which takes the place of any key that still waits for its certificate. Throws 422, `ResourceError`. */
  async request(parameters: Parameters): Promise<{ readonly certificateRequest: string }> {
    const [parameter] = Object.keys(parameters)
    if (parameter !== undefined) {
      throw new Refusal(422, 'ParameterUnknown', 'this request takes no parameters', { field: parameter })
    }
    const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
    await this.#write(this.#paths.pendingKey, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })))
    return { certificateRequest: certificateRequest(this.#options.config.name, privateKey) }
  }

  /**
   * A certificate for the key of the last request, with the roots that are trusted from now on. One for the key that is in use is taken
   * too: so may the bundle change alone, and what was delivered be delivered again. Throws 422 with `field`, `ResourceError`.
   */
  async replace(
    parameters: Parameters,
    client: X509Certificate,
  ): Promise<{ readonly serialNumber: string; readonly notAfter: string }> {
    const { config, now, serve } = this.#options
    const keys = await this.#keys()
    const material = judgeTrust(parameters, { name: config.name, keys, client, now: new Date(now()) })
    const enrolled = await readFile(enrolledCertificate(config)).catch(() => undefined)
    await this.#write(this.#paths.identity, encodeIdentity(material, enrolled))
    this.#tls = material
    serve(material)
    // It is in use now; left behind it does no harm.
    await rm(this.#paths.pendingKey, { force: true }).catch(() => undefined)
    const { serialNumber, validToDate } = new X509Certificate(material.cert)
    return { serialNumber, notAfter: validToDate.toISOString() }
  }

  async #keys(): Promise<Holder['keys']> {
    const pending = await readFile(this.#paths.pendingKey, 'utf8').catch(() => undefined)
    return [pending, this.#tls.key.toString()].flatMap((pem) =>
      pem === undefined ? [] : [{ pem, key: createPrivateKey(pem) }],
    )
  }

  async #write(path: string, content: Buffer): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await replaceFile(path, content, { mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  }
}
