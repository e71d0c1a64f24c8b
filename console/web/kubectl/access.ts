import { stringify } from 'yaml'
import type { Account, Grant } from '../../protocol/access.ts'
import {
  accountLabel,
  accountTypeLabel,
  displayNameAnnotation,
  longLivedType,
  markerType,
  ofAccountAnnotation,
  usersNamespace,
} from '../../protocol/account-names.ts'
import { manifestId, manifestsOf, type GrantManifest } from '../../protocol/grant-objects.ts'
import type { KubectlCommand } from './command.ts'

const inUsers = `--namespace=${usersNamespace}`

function create(...objects: readonly object[]): KubectlCommand {
  const documents = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
  return { argv: ['kubectl', 'create', '--filename=-'], input: documents.join('---\n') }
}

export function listAccountsCommand(): KubectlCommand {
  return { argv: ['kubectl', 'get', 'serviceaccounts', inUsers, `--label-columns=${accountTypeLabel}`] }
}

type Wanted = Pick<Account, 'name' | 'type' | 'displayName'>

/** All but the password, which Kubernetes knows nothing of. */
export function createAccountCommand({ name, type, displayName }: Wanted, grants: readonly Grant[]): KubectlCommand {
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name,
      namespace: usersNamespace,
      labels: { [accountTypeLabel]: type === 'Person' ? 'person' : 'script' },
      annotations: { [displayNameAnnotation]: displayName },
    },
  }
  return create(account, ...manifests(name, grants).values())
}

/** Makes what is missing, then takes away what is too much; none where nothing changes. */
export function setGrantsCommands(
  name: string,
  before: readonly Grant[],
  after: readonly Grant[],
): readonly KubectlCommand[] {
  const [held, wanted] = [manifests(name, before), manifests(name, after)]
  const missing = [...wanted.values()].filter((object) => !held.has(manifestId(object)))
  const surplus = [...held.values()].filter((object) => !wanted.has(manifestId(object)))
  return [
    ...(missing.length > 0 ? [create(...missing)] : []),
    // Bindings before the roles that they are about.
    ...surplus.toReversed().map(remove),
  ]
}

function manifests(name: string, grants: readonly Grant[]): Map<string, GrantManifest> {
  const all = grants.flatMap((grant) => manifestsOf(name, grant))
  return new Map(all.map((object) => [manifestId(object), object]))
}

function remove({ kind, metadata }: GrantManifest): KubectlCommand {
  const where = metadata.namespace === undefined ? [] : [`--namespace=${metadata.namespace}`]
  return { argv: ['kubectl', 'delete', kind.toLowerCase(), metadata.name, ...where] }
}

/** Bindings that were not made by the console stay, as they do when it deletes. */
export function deleteAccountCommands(name: string): readonly KubectlCommand[] {
  const selector = `--selector=${accountLabel}=${name}`
  return [
    { argv: ['kubectl', 'delete', 'clusterrolebindings,clusterroles', selector] },
    { argv: ['kubectl', 'delete', 'rolebindings', '--all-namespaces', selector] },
    { argv: ['kubectl', 'delete', 'secrets', inUsers, selector] },
    { argv: ['kubectl', 'delete', 'serviceaccount', name, inUsers] },
  ]
}

/** A token that lives and dies with the Secret of that name. */
export function expiringTokenCommands(
  name: string,
  secret: string,
  expirationSeconds: number,
): readonly KubectlCommand[] {
  const metadata = { name: secret, namespace: usersNamespace, labels: { [accountLabel]: name } }
  const bound = ['--bound-object-kind=Secret', `--bound-object-name=${secret}`]
  return [
    create({ apiVersion: 'v1', kind: 'Secret', metadata, type: markerType }),
    { argv: ['kubectl', 'create', 'token', name, inUsers, ...bound, `--duration=${expirationSeconds}s`] },
  ]
}

export function longLivedTokenCommands(name: string, secret: string): readonly KubectlCommand[] {
  const metadata = {
    name: secret,
    namespace: usersNamespace,
    labels: { [accountLabel]: name },
    annotations: { [ofAccountAnnotation]: name },
  }
  const template = '--output=go-template={{.data.token | base64decode}}'
  return [
    create({ apiVersion: 'v1', kind: 'Secret', metadata, type: longLivedType }),
    { argv: ['kubectl', 'get', 'secret', secret, inUsers, template] },
  ]
}

export function revokeTokenCommand(secret: string): KubectlCommand {
  return { argv: ['kubectl', 'delete', 'secret', secret, inUsers] }
}
