import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { kinds, NotFoundError, type KubeClient, type ObjectMeta, type Secret } from '@keelson/kube'
import type { Account, Token } from '../../../protocol/access.ts'
import { AccountError } from './account-error.ts'
import type { Accounts, PersonalClients } from './accounts.ts'
import { unlessGone } from './make-grants.ts'
import {
  accountLabel,
  longLivedType,
  markerType,
  ofAccountAnnotation,
  usersNamespace,
} from '../../../protocol/account-names.ts'
import { kubeconfigOf, type PublicCluster } from './token-kubeconfig.ts'
import { isOf, tokenSecretsOf } from './token-secrets.ts'

export interface TokensOptions {
  readonly clients: PersonalClients
  readonly accounts: Pick<Accounts, 'get'>
  /** The API server as whoever has a token reaches it. */
  readonly cluster: PublicCluster
  /** Wall clock; default the machine's. */
  readonly now?: () => Date
  /** How long the controller manager may take to fill a long-lived token in, in milliseconds. Default 15 s. */
  readonly fillMs?: number
}

export type WantedToken =
  { readonly type: 'Expiring'; readonly expirationSeconds: number } | { readonly type: 'LongLived' }

/** A secret. */
export interface GivenToken {
  readonly token: Token
  readonly value: string
  readonly kubeconfig: string
}

const expiresAtAnnotation = 'keelson.dev/expires-at'
/** How long a Secret is kept whose token is over, in case clocks differ. */
const keptAfterMs = 3_600_000
const maxTokens = 100
/** Others may have made any number. */
const maxListed = 500
const pollMs = 100

/** Tokens of accounts for use outside the console. Each lives and dies with a Secret in keelson-users: to delete that is to revoke the token. */
export class Tokens {
  readonly #options: TokensOptions
  readonly #now: () => Date

  constructor(options: TokensOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  /** By name, without values. @throws AccountError `AccountNotFound`, ForbiddenError */
  async list(caller: string, account: string, signal: AbortSignal): Promise<Token[]> {
    await this.#options.accounts.get(caller, account, signal)
    const secrets = await tokenSecretsOf(this.#options.clients.for(caller), account, signal)
    return secrets.slice(0, maxListed).map(tokenOf)
  }

  /** @throws AccountError, ForbiddenError */
  async create(caller: string, account: string, wanted: WantedToken, signal: AbortSignal): Promise<GivenToken> {
    const found = await this.#options.accounts.get(caller, account, signal)
    const client = this.#options.clients.for(caller)
    await this.#sweep(client, account, signal)
    const { uid = '' } = (await client.get(kinds.ServiceAccount, { name: account, namespace: usersNamespace }, signal))
      .metadata
    const metadata = {
      name: `${account}-${randomBytes(5).toString('hex')}`,
      namespace: usersNamespace,
      labels: { [accountLabel]: account },
      // Whoever deletes the ServiceAccount by other means deletes this, too.
      ownerReferences: [{ apiVersion: 'v1', kind: 'ServiceAccount', name: account, uid }],
    }
    const [secret, value] =
      wanted.type === 'Expiring'
        ? await this.#expiring(client, account, metadata, wanted.expirationSeconds, signal)
        : await this.#longLived(client, account, metadata, signal)
    const kubeconfig = kubeconfigOf({ cluster: this.#options.cluster, account, token: value, namespace: homeOf(found) })
    return { token: tokenOf(secret), value, kubeconfig }
  }

  /** Nothing where it is gone. @throws AccountError `TokenNotFound`, ForbiddenError */
  async revoke(caller: string, account: string, name: string, signal: AbortSignal): Promise<void> {
    const client = this.#options.clients.for(caller)
    const secret = await client
      .get(kinds.Secret, { name, namespace: usersNamespace }, signal)
      .catch((error: unknown) => {
        if (error instanceof NotFoundError) return undefined
        throw error
      })
    if (secret === undefined || !isOf(secret, account))
      throw new AccountError('TokenNotFound', `${account} has no token ${name}`)
    const preconditions = { uid: secret.metadata.uid }
    await unlessGone(client.delete(kinds.Secret, secret.metadata, { preconditions }, signal))
  }

  async #expiring(
    client: KubeClient,
    account: string,
    metadata: ObjectMeta,
    expirationSeconds: number,
    signal: AbortSignal,
  ): Promise<[Secret, string]> {
    const { uid, name } = (await client.create(kinds.Secret, { metadata, type: markerType }, {}, signal)).metadata
    try {
      const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name, uid }
      const options = { expirationSeconds, boundObjectRef }
      const given = await client.createToken(usersNamespace, account, options, signal)
      const expiry = { metadata: { annotations: { [expiresAtAnnotation]: given.expirationTimestamp } } }
      return [await client.patch(kinds.Secret, metadata, expiry, {}, signal), given.token]
    } catch (error) {
      await this.#discard(client, metadata)
      throw error
    }
  }

  async #longLived(
    client: KubeClient,
    account: string,
    metadata: ObjectMeta,
    signal: AbortSignal,
  ): Promise<[Secret, string]> {
    const annotations = { [ofAccountAnnotation]: account }
    const empty = { metadata: { ...metadata, annotations }, type: longLivedType }
    const { fillMs = 15_000 } = this.#options
    const deadline = performance.now() + fillMs
    await client.create(kinds.Secret, empty, {}, signal)
    try {
      do {
        const secret = await client.get(kinds.Secret, metadata, signal)
        const token = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8')
        if (token !== '') return [secret, token]
        await sleep(pollMs, undefined, { signal })
      } while (performance.now() < deadline)
    } catch (error) {
      await this.#discard(client, metadata)
      throw error
    }
    await this.#discard(client, metadata)
    throw new AccountError(
      'TokenNotMade',
      `the cluster has made no token within ${fillMs} ms: does its controller manager run? Take a token that expires, which needs none`,
    )
  }

  /** What was begun and not given out. Where that fails, too, the list still shows it. */
  async #discard(client: KubeClient, metadata: ObjectMeta): Promise<void> {
    await client.delete(kinds.Secret, metadata, {}, AbortSignal.timeout(5_000)).catch(() => {})
  }

  /** Takes away what is over. @throws AccountError `TooManyTokens` */
  async #sweep(client: KubeClient, account: string, signal: AbortSignal): Promise<void> {
    const secrets = await tokenSecretsOf(client, account, signal)
    const before = this.#now().getTime() - keptAfterMs
    const over = secrets.filter(
      ({ metadata }) => Date.parse(metadata.annotations?.[expiresAtAnnotation] ?? '') < before,
    )
    for (const { metadata } of over) await unlessGone(client.delete(kinds.Secret, metadata, {}, signal))
    if (secrets.length - over.length < maxTokens) return
    throw new AccountError(
      'TooManyTokens',
      `${account} has ${maxTokens} tokens: revoke those that nothing uses any more`,
    )
  }
}

function tokenOf({ type, metadata }: Secret): Token {
  const { name, creationTimestamp, annotations } = metadata
  const expiresAt = Date.parse(annotations?.[expiresAtAnnotation] ?? '')
  return {
    name,
    type: type === longLivedType ? 'LongLived' : 'Expiring',
    createdAt: creationTimestamp!,
    ...(!Number.isNaN(expiresAt) && { expiresAt: new Date(expiresAt).toISOString() }),
  }
}

/** A namespace in which the account may do something, for kubectl to begin in. */
function homeOf({ grants }: Account): string {
  const namespaces = grants.flatMap((grant) => (grant.kind === 'Role' ? grant.namespaces : []))
  return namespaces[0] ?? 'default'
}
