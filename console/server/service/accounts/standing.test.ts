import { kinds, type ClusterRole, type ClusterRoleBinding } from '@keelson/kube'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Grant, hostAreas, roles } from '../../../protocol/access.ts'
import { idOf, objectsOf, type RbacObject } from './rbac-objects.ts'
import { Standings } from './standing.ts'

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?$/)
const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    kind: fc.constant('Role' as const),
    role: fc.constantFrom('keelson-viewer' as const, 'keelson-operator' as const, 'keelson-admin' as const),
    namespaces: fc.uniqueArray(label, { maxLength: 5 }),
  }),
  fc.constant({ kind: 'Role' as const, role: 'keelson-access' as const, namespaces: [] as string[] }),
  fc.record({
    kind: fc.constant('Hosts' as const),
    hosts: fc.uniqueArray(label, { maxLength: 24 }),
    areas: fc.uniqueArray(fc.constantFrom(...hostAreas), { minLength: 1 }),
    access: fc.constantFrom('Get' as const, 'Update' as const),
  }),
)
const grants = fc.array(grant, { maxLength: 8 })

function made(account: string, wanted: readonly Grant[]): Map<string, RbacObject> {
  return new Map(wanted.flatMap((each) => objectsOf(account, each)).map((each) => [idOf(each), each]))
}

/** As the API server gives it back. */
function stored({ kind, object }: RbacObject): RbacObject {
  const subjects =
    'subjects' in object ? { subjects: object.subjects?.map((subject) => ({ ...subject, apiGroup: undefined })) } : {}
  return {
    kind,
    object: { ...structuredClone(object), ...subjects, metadata: { ...object.metadata, uid: 'a' } },
  }
}

const [ours] = objectsOf('ann', { kind: 'Role', role: 'keelson-viewer', namespaces: [] }) as [
  RbacObject & { object: ClusterRoleBinding },
]
const binding = (name: string, change: Partial<ClusterRoleBinding> = {}): RbacObject => ({
  kind: kinds.ClusterRoleBinding,
  object: { ...ours.object, ...change, metadata: { name } },
})

describe('what is read from the cluster', () => {
  test('is what was given, in the form in which it is always shown, account by account', () => {
    fc.assert(
      fc.property(fc.dictionary(label, grants, { maxKeys: 4, noNullPrototype: true }), (accounts) => {
        const objects = Object.entries(accounts).flatMap(([account, given]) => [...made(account, given).values()])
        const standings = new Standings(objects.map(stored))
        for (const [account, given] of Object.entries(accounts)) {
          const standing = standings.of(account)
          const wanted = made(account, given)
          expect(new Set(standing.own.map(idOf))).toEqual(new Set(wanted.keys()))
          expect(standing.others).toEqual([])
          expect(new Set(made(account, standing.grants).keys())).toEqual(new Set(wanted.keys()))
          expect(standing.grants.map((each) => Grant.parse(each))).toEqual(standing.grants)
          expect(standings.of(account).grants).toEqual(standing.grants)
        }
      }),
    )
  })

  test('is in order: roles, then hosts', () => {
    const given: Grant[] = [
      { kind: 'Hosts', hosts: ['b', 'a'], areas: ['sysctl', 'facts'], access: 'Update' },
      { kind: 'Hosts', hosts: [], areas: ['facts'], access: 'Get' },
      { kind: 'Role', role: 'keelson-operator', namespaces: ['two'] },
      { kind: 'Role', role: 'keelson-operator', namespaces: ['one'] },
      { kind: 'Role', role: 'keelson-viewer', namespaces: [] },
    ]
    expect(new Standings([...made('ann', given).values()]).of('ann').grants).toEqual([
      { kind: 'Role', role: 'keelson-viewer', namespaces: [] },
      { kind: 'Role', role: 'keelson-operator', namespaces: ['one', 'two'] },
      { kind: 'Hosts', hosts: ['a', 'b'], areas: ['facts', 'sysctl'], access: 'Update' },
      { kind: 'Hosts', hosts: [], areas: ['facts'], access: 'Get' },
    ])
  })

  test.each(roles)('%s is no grant where half of it is missing or was changed', (role) => {
    const whole = objectsOf('ann', { kind: 'Role', role, namespaces: [] })
    for (const missing of whole.length > 1 ? whole : []) {
      const rest = whole.filter((each) => each !== missing)
      const standing = new Standings(rest).of('ann')
      expect([standing.grants, standing.others]).toEqual([[], rest.map(idOf)])
    }
    const [first] = whole as [RbacObject & { object: ClusterRoleBinding }]
    const roleRef = { ...first.object.roleRef, name: 'cluster-admin' }
    const changed = { ...first, object: { ...first.object, roleRef } } as RbacObject
    const standing = new Standings([changed, ...whole.slice(1)]).of('ann')
    expect([standing.grants, standing.others]).toEqual([[], [changed, ...whole.slice(1)].map(idOf).toSorted()])
  })

  test('rights on hosts are no grant where the role was changed, or has more than a page can show', () => {
    const [role, bound] = objectsOf('ann', { kind: 'Hosts', hosts: ['a'], areas: ['facts'], access: 'Get' })
    const { metadata, rules } = role!.object as ClusterRole
    const [rule] = rules!
    for (const change of [
      [{ ...rule!, verbs: ['get', 'update'] }],
      [rule!, { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
      [{ ...rule!, resourceNames: Array.from({ length: 25 }, (_, index) => `host${index}`) }],
      [],
      null,
    ]) {
      const standing = new Standings([{ kind: kinds.ClusterRole, object: { metadata, rules: change } }, bound!]).of(
        'ann',
      )
      expect([change, standing.grants, standing.others, standing.own.length]).toEqual([change, [], [idOf(bound!)], 2])
    }
  })

  test('names the bindings of others, by whatever subject', () => {
    const apiGroup = 'rbac.authorization.k8s.io'
    const standings = new Standings([
      ours,
      binding('of-both', {
        subjects: [
          { kind: 'ServiceAccount', name: 'ann', namespace: 'keelson-users' },
          { kind: 'ServiceAccount', name: 'bob', namespace: 'keelson-users' },
        ],
      }),
      binding('of-the-user', {
        subjects: [{ kind: 'User', name: 'system:serviceaccount:keelson-users:ann', apiGroup }],
      }),
      binding('of-all', { subjects: [{ kind: 'Group', name: 'system:serviceaccounts:keelson-users', apiGroup }] }),
      binding('of-another-namespace', { subjects: [{ kind: 'ServiceAccount', name: 'ann', namespace: 'team' }] }),
      binding('of-a-user', { subjects: [{ kind: 'User', name: 'ann', apiGroup }] }),
      binding('of-nobody', { subjects: undefined }),
    ])
    const ann = standings.of('ann')
    expect(ann.others).toEqual(['of-all', 'of-both', 'of-the-user'].map((name) => `ClusterRoleBinding/${name}`))
    expect(ann.grants).toHaveLength(1)
    expect(standings.of('bob').others).toEqual(['of-all', 'of-both'].map((name) => `ClusterRoleBinding/${name}`))
    expect(standings.of('bob').own).toEqual([])
  })

  test("one account's objects are not those of another whose name begins alike", () => {
    const standings = new Standings([
      ...objectsOf('ann-b', { kind: 'Role', role: 'keelson-viewer', namespaces: ['x'] }),
    ])
    expect(standings.of('ann')).toEqual({ grants: [], others: [], own: [] })
    expect(standings.of('ann-b').grants).toHaveLength(1)
  })
})
