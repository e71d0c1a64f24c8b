import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Grant } from '../../protocol/access.ts'
import {
  createAccountCommand,
  deleteAccountCommands,
  expiringTokenCommands,
  longLivedTokenCommands,
  revokeTokenCommand,
  setGrantsCommands,
} from './access.ts'
import { commandText } from './command.ts'

const viewer: Grant = { kind: 'Role', role: 'keelson-viewer', namespaces: [] }
const inTwo: Grant = { kind: 'Role', role: 'keelson-operator', namespaces: ['one', 'two'] }
const hosts: Grant = { kind: 'Hosts', hosts: ['b', 'a'], areas: ['sysctl'], access: 'Update' }

function objectsIn(input: string | undefined): unknown[] {
  return parseAllDocuments(input ?? '').map((document) => document.toJS() as unknown)
}

test('an account is created with its rights, and whatever its name is quoted', () => {
  const displayName = `Ann "O'Neil": # yes`
  const command = createAccountCommand({ name: 'ann', type: 'Person', displayName }, [viewer, hosts])
  expect(command.argv).toEqual(['kubectl', 'create', '--filename=-'])
  expect(objectsIn(command.input)).toMatchObject([
    {
      kind: 'ServiceAccount',
      metadata: {
        name: 'ann',
        namespace: 'keelson-users',
        labels: { 'keelson.dev/account-type': 'person' },
        annotations: { 'keelson.dev/display-name': displayName },
      },
    },
    { kind: 'ClusterRoleBinding', metadata: { name: 'keelson-user:ann:keelson-viewer' } },
    {
      kind: 'ClusterRole',
      rules: [{ resourceNames: ['a', 'b'], resources: ['hosts/sysctl'], verbs: ['get', 'update'] }],
    },
    { kind: 'ClusterRoleBinding' },
  ])
})

test('a change of rights makes what is missing and takes away the rest, bindings first', () => {
  const [made, ...removed] = setGrantsCommands('ann', [viewer, hosts], [viewer, inTwo])
  expect(objectsIn(made!.input)).toMatchObject(
    ['one', 'two'].map((namespace) => ({
      kind: 'RoleBinding',
      metadata: { name: 'keelson-user:ann:keelson-operator', namespace },
      roleRef: { kind: 'ClusterRole', name: 'keelson-operator' },
    })),
  )
  expect(removed.map(({ argv }) => argv.slice(0, 3).join(' '))).toEqual([
    'kubectl delete clusterrolebinding',
    'kubectl delete clusterrole',
  ])
  expect(setGrantsCommands('ann', [viewer], [viewer])).toEqual([])
  expect(setGrantsCommands('ann', [inTwo], []).map(commandText)).toEqual([
    'kubectl delete rolebinding keelson-user:ann:keelson-operator --namespace=two',
    'kubectl delete rolebinding keelson-user:ann:keelson-operator --namespace=one',
  ])
})

test('tokens are bound to their Secret', () => {
  const [secret, token] = expiringTokenCommands('ci', 'ci-one', 3_600)
  expect(objectsIn(secret!.input)).toMatchObject([{ type: 'keelson.dev/bound-token', metadata: { name: 'ci-one' } }])
  expect(commandText(token!)).toBe(
    'kubectl create token ci --namespace=keelson-users --bound-object-kind=Secret --bound-object-name=ci-one --duration=3600s',
  )
  const [lasting, read] = longLivedTokenCommands('ci', 'ci-two')
  expect(objectsIn(lasting!.input)).toMatchObject([
    { metadata: { annotations: { 'kubernetes.io/service-account.name': 'ci' } } },
  ])
  expect(commandText(read!)).toContain(`'--output=go-template={{.data.token | base64decode}}'`)
  expect(commandText(revokeTokenCommand('ci-one'))).toBe('kubectl delete secret ci-one --namespace=keelson-users')
})

test('a deletion ends with the ServiceAccount', () => {
  expect(deleteAccountCommands('ann').map(commandText)).toEqual([
    'kubectl delete clusterrolebindings,clusterroles --selector=keelson.dev/account=ann',
    'kubectl delete rolebindings --all-namespaces --selector=keelson.dev/account=ann',
    'kubectl delete secrets --namespace=keelson-users --selector=keelson.dev/account=ann',
    'kubectl delete serviceaccount ann --namespace=keelson-users',
  ])
})
