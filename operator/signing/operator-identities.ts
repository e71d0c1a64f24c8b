import { X509Certificate } from 'node:crypto'
import { operatorIdentities, type OperatorIdentity } from '@keelson/api'
import type { ClientCertificate } from '../delivery/host-pools.ts'
import type { Authority } from './authority.ts'
import { isDue } from './renewal-time.ts'
import { ecdsaP256, x509 } from './x509.ts'

const names = Object.keys(operatorIdentities) as OperatorIdentity[]

/** The operator's own client certificates, in memory alone. */
export class OperatorIdentities {
  readonly #authority: Authority
  readonly #now: () => Date
  #current: Readonly<Record<OperatorIdentity, ClientCertificate>>

  private constructor(authority: Authority, now: () => Date, first: OperatorIdentities['all']) {
    this.#authority = authority
    this.#now = now
    this.#current = first
  }

  static async issue(authority: Authority, now: () => Date): Promise<OperatorIdentities> {
    return new OperatorIdentities(authority, now, await issueAll(authority))
  }

  get all(): Readonly<Record<OperatorIdentity, ClientCertificate>> {
    return this.#current
  }

  /** For a connection that is opened now; an open one stays good. */
  certificate(identity: OperatorIdentity): ClientCertificate {
    return this.#current[identity]
  }

  /** Makes them anew where two thirds of their life are over, or the authority's roots are others. */
  async refresh(): Promise<void> {
    const { control } = this.#current
    if (control.ca === this.#authority.bundle && !isDue(new X509Certificate(control.certificate), this.#now())) return
    this.#current = await issueAll(this.#authority)
  }
}

async function issueAll(authority: Authority): Promise<Readonly<Record<OperatorIdentity, ClientCertificate>>> {
  const issued = await Promise.all(names.map(async (name) => [name, await issueOne(authority, name)] as const))
  return Object.fromEntries(issued) as Record<OperatorIdentity, ClientCertificate>
}

async function issueOne(authority: Authority, identity: OperatorIdentity): Promise<ClientCertificate> {
  const keys = await crypto.subtle.generateKey(ecdsaP256, true, ['sign', 'verify'])
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  // Read at the same moment as the roots that sign.
  const ca = authority.bundle
  return { ca, certificate: await authority.signOperator(identity, spki), key }
}
