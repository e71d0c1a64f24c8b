import { kinds, NotFoundError, type KubeClient, type ResourceAttributes, type ServiceAccount } from '@keelson/kube'
import type { Account, Grant } from '../../../protocol/access.ts'
import { Label } from '../../../protocol/names.ts'
import type { AccountRecord, Accounts as AccountRecords } from '../../model/accounts.ts'
import { checkPassword } from '../../model/password-rules.ts'
import { AccountError } from './account-error.ts'
import { makeGrants, tryGrants, unlessGone } from './make-grants.ts'
import {
  accountTypeLabel,
  displayNameAnnotation,
  unfinishedAnnotation,
  usersNamespace,
} from '../../../protocol/account-names.ts'
import { Standings, type Standing } from './standing.ts'
import { tokenSecretsOf } from './token-secrets.ts'

/** Gives a client that has the token of this account. */
export interface PersonalClients {
  for(account: string): KubeClient
}

export interface AccountsOptions {
  readonly clients: PersonalClients
  /** What a SubjectAccessReview says. */
  readonly gate: { allows(account: string, act: ResourceAttributes, signal?: AbortSignal): Promise<boolean> }
  readonly records: Pick<AccountRecords, 'find' | 'list' | 'create' | 'setPassword' | 'setEnabled' | 'remove'>
}

export interface NewAccount {
  readonly name: string
  readonly type: Account['type']
  readonly displayName: string
  readonly password?: string | undefined
  readonly grants: readonly Grant[]
}

const maxAccounts = 5_000
const maxGrants = 32
const maxOthers = 64
/** Every namespace has it, for Pods that name no other. */
const ofNobody = 'default'

/**
 * People and scripts. `caller` is whose rights count: whatever is done in Kubernetes is done by that account's own client. What takes several objects can
 * be asked for again after it broke off, and then ends as if it had not.
 */
export class Accounts {
  readonly #options: AccountsOptions

  constructor(options: AccountsOptions) {
    this.#options = options
  }

  /** By name. A ServiceAccount that others made with a dot in its name is none. @throws ForbiddenError */
  async list(caller: string, signal: AbortSignal): Promise<Account[]> {
    const client = this.#options.clients.for(caller)
    const [{ items }, standings, records] = await Promise.all([
      client.list(kinds.ServiceAccount, { namespace: usersNamespace }, signal),
      Standings.read(client, signal),
      this.#options.records.list(),
    ])
    const recordOf = new Map(records.map((record) => [record.name, record]))
    return items
      .filter(({ metadata }) => Label.safeParse(metadata.name).success)
      .map((found) => accountOf(found, standings.of(found.metadata.name), recordOf.get(found.metadata.name)))
      .filter(isSomebody)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .slice(0, maxAccounts)
  }

  /** @throws AccountError `AccountNotFound`, ForbiddenError */
  async get(caller: string, name: string, signal: AbortSignal): Promise<Account> {
    const client = this.#options.clients.for(caller)
    const [found, standing, record] = await Promise.all([
      serviceAccount(client, name, signal),
      standingOf(client, name, signal),
      this.#options.records.find(name),
    ])
    if (found === undefined) throw notFound(name)
    return accountOf(found, standing, record)
  }

  /**
   * ServiceAccount, then grants, then password. Nothing is made where Kubernetes refuses a grant.
   *
   * @throws AccountError, PasswordRefused, ForbiddenError
   */
  async create(caller: string, wanted: NewAccount, signal: AbortSignal): Promise<Account> {
    const { name, type, displayName, password, grants } = wanted
    const { records } = this.#options
    if (type === 'Script' && password !== undefined)
      throw new AccountError('NotAPerson', 'a script has no password: it signs in with tokens', 'password')
    if (password !== undefined) checkPassword(password, name)
    refuseGrants(grants)
    const client = this.#options.clients.for(caller)
    const [found, standing] = await Promise.all([
      serviceAccount(client, name, signal),
      standingOf(client, name, signal),
    ])
    if (found !== undefined && found.metadata.annotations?.[unfinishedAnnotation] === undefined)
      throw new AccountError('AccountExists', `there is an account ${name}: choose another name`, 'name')
    if (password !== undefined) await this.#requireTokenRight(caller, name, signal)
    await tryGrants(client, name, grants, standing, signal)
    const metadata = {
      name,
      namespace: usersNamespace,
      labels: { [accountTypeLabel]: type === 'Person' ? 'person' : 'script' },
      annotations: { [displayNameAnnotation]: displayName, [unfinishedAnnotation]: 'true' },
    }
    if (found === undefined) await client.create(kinds.ServiceAccount, { metadata }, {}, signal)
    else await client.patch(kinds.ServiceAccount, metadata, { metadata }, {}, signal)
    await makeGrants(client, name, grants, standing, signal)
    // One that is there belongs to the attempt that broke off, or to a ServiceAccount that was deleted by other means: its password counts no more.
    await records.remove(name)
    if (type === 'Person')
      await records.create({ name, displayName, mustChangePassword: true, ...(password !== undefined && { password }) })
    const finished = { metadata: { annotations: { [unfinishedAnnotation]: null } } }
    await client.patch(kinds.ServiceAccount, metadata, finished, {}, signal)
    return this.get(caller, name, signal)
  }

  /** @throws AccountError, ForbiddenError: then nothing is changed */
  async setGrants(caller: string, name: string, grants: readonly Grant[], signal: AbortSignal): Promise<Account> {
    refuseGrants(grants)
    const client = this.#options.clients.for(caller)
    const [found, standing] = await Promise.all([
      serviceAccount(client, name, signal),
      standingOf(client, name, signal),
    ])
    if (found === undefined) throw notFound(name)
    await tryGrants(client, name, grants, standing, signal)
    await makeGrants(client, name, grants, standing, signal)
    return this.get(caller, name, signal)
  }

  /** @throws AccountError, PasswordRefused, ForbiddenError */
  async setPassword(caller: string, name: string, password: string, signal: AbortSignal): Promise<void> {
    const { records } = this.#options
    if (caller === name)
      throw new AccountError(
        'OwnAccount',
        'change your own password in your profile, where the present one is asked for',
      )
    checkPassword(password, name)
    const account = await this.#person(caller, name, signal)
    await this.#requireTokenRight(caller, name, signal)
    if ((await records.find(name)) === undefined)
      await records.create({ name, displayName: account.displayName, password, mustChangePassword: true })
    else await records.setPassword(name, password, { mustChangePassword: true })
  }

  /** @throws AccountError, ForbiddenError */
  async setSignIn(caller: string, name: string, enabled: boolean, signal: AbortSignal): Promise<Account> {
    const { records } = this.#options
    if (caller === name && !enabled) throw new AccountError('OwnAccount', 'nobody keeps himself from signing in')
    const { signIn } = await this.#person(caller, name, signal)
    await this.#requireTokenRight(caller, name, signal)
    if (signIn === 'Never') throw new AccountError('PasswordMissing', `${name} has no password yet: set one`)
    await records.setEnabled(name, enabled)
    return this.get(caller, name, signal)
  }

  /**
   * Sign-in off, then bindings, tokens, the ServiceAccount, the password last. Also ends what others have begun to delete.
   *
   * @throws AccountError, ForbiddenError
   */
  async delete(caller: string, name: string, signal: AbortSignal): Promise<void> {
    const { records } = this.#options
    if (caller === name) throw new AccountError('OwnAccount', 'nobody deletes himself: ask another administrator')
    const client = this.#options.clients.for(caller)
    const [found, standing, record] = await Promise.all([
      serviceAccount(client, name, signal),
      standingOf(client, name, signal),
      records.find(name),
    ])
    if (found === undefined && record === undefined && standing.own.length === 0) throw notFound(name)
    await this.#requireTokenRight(caller, name, signal)
    const which = { name, namespace: usersNamespace }
    if (found !== undefined) await unlessGone(client.delete(kinds.ServiceAccount, which, { dryRun: true }, signal))
    if (record !== undefined) await records.setEnabled(name, false)
    await makeGrants(client, name, [], standing, signal)
    for (const { metadata } of await tokenSecretsOf(client, name, signal))
      await unlessGone(client.delete(kinds.Secret, metadata, {}, signal))
    if (found !== undefined) {
      const preconditions = { uid: found.metadata.uid }
      await unlessGone(client.delete(kinds.ServiceAccount, which, { preconditions }, signal))
    }
    await records.remove(name)
  }

  async #person(caller: string, name: string, signal: AbortSignal): Promise<Account> {
    const account = await this.get(caller, name, signal)
    if (account.type === 'Person') return account
    throw new AccountError('NotAPerson', `${name} is a script: it has no password and signs in with tokens`)
  }

  /**
   * Whoever signs in as an account has its tokens, so the right to make these is asked for before anything that decides who signs in. Kubernetes cannot be
   * asked to do that itself: it knows nothing of passwords.
   */
  async #requireTokenRight(caller: string, name: string, signal: AbortSignal): Promise<void> {
    const token = { group: '', resource: 'serviceaccounts', subresource: 'token', namespace: usersNamespace }
    if (await this.#options.gate.allows(caller, { ...token, verb: 'create', name }, signal)) return
    throw new AccountError(
      'TokenRightMissing',
      `${caller} may not create serviceaccounts/token of ${name} in ${usersNamespace}, as it takes to decide who signs in as ${name}`,
    )
  }
}

function accountOf(found: ServiceAccount, { grants, others }: Standing, record: AccountRecord | undefined): Account {
  const { name, labels, annotations, creationTimestamp } = found.metadata
  const isPerson = labels?.[accountTypeLabel] === 'person'
  const known = isPerson ? record : undefined
  return {
    name,
    type: isPerson ? 'Person' : 'Script',
    displayName: (known?.displayName ?? annotations?.[displayNameAnnotation] ?? '').slice(0, 128),
    createdAt: creationTimestamp!,
    grants: grants.slice(0, maxGrants),
    others: others.slice(0, maxOthers),
    signIn: known?.hasPassword !== true ? 'Never' : known.enabled ? 'Enabled' : 'Disabled',
    ...(known?.lastSignInAt !== undefined && { lastSignInAt: known.lastSignInAt.toISOString() }),
  }
}

/** `default` only where it was given rights. */
function isSomebody({ name, grants, others }: Account): boolean {
  return name !== ofNobody || grants.length + others.length > 0
}

async function serviceAccount(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<ServiceAccount | undefined> {
  try {
    return await client.get(kinds.ServiceAccount, { name, namespace: usersNamespace }, signal)
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}

async function standingOf(client: KubeClient, name: string, signal: AbortSignal): Promise<Standing> {
  return (await Standings.read(client, signal)).of(name)
}

function refuseGrants(grants: readonly Grant[]): void {
  for (const [index, grant] of grants.entries())
    if (grant.kind === 'Role' && grant.role === 'keelson-access' && grant.namespaces.length > 0)
      throw new AccountError(
        'GrantInvalid',
        'keelson-access is about all accounts: leave its namespaces out',
        `grants[${index}].namespaces`,
      )
}

function notFound(name: string): AccountError {
  return new AccountError('AccountNotFound', `there is no account ${name}`)
}
