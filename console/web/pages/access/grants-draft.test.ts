import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Grant, hostAreas } from '../../../protocol/access.ts'
import { manifestId, manifestsOf } from '../../../protocol/grant-objects.ts'
import { draftOf, namesIn, newHosts, readDraft, type GrantsDraft } from './grants-draft.ts'

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?$/)
const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    kind: fc.constant('Role' as const),
    role: fc.constantFrom('keelson-viewer' as const, 'keelson-operator' as const, 'keelson-admin' as const),
    namespaces: fc.uniqueArray(label, { minLength: 1, maxLength: 5 }),
  }),
  fc.constant({ kind: 'Role' as const, role: 'keelson-access' as const, namespaces: [] as string[] }),
  fc.record({
    kind: fc.constant('Hosts' as const),
    hosts: fc.uniqueArray(label, { maxLength: 24 }),
    areas: fc.uniqueArray(fc.constantFrom(...hostAreas), { minLength: 1 }),
    access: fc.constantFrom('Get' as const, 'Update' as const),
  }),
)

const objects = (grants: readonly Grant[]) =>
  new Set(grants.flatMap((each) => manifestsOf('ann', each)).map((each) => manifestId(each)))

test('a draft of rights that are there means the same rights', () => {
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 8 }), (grants) => {
      const { grants: read, problems } = readDraft(draftOf(grants))
      expect(problems).toEqual([])
      expect(objects(read)).toEqual(objects(grants))
    }),
  )
})

test('the right everywhere takes the place of those in single namespaces', () => {
  const everywhere: Grant = { kind: 'Role', role: 'keelson-viewer', namespaces: [] }
  expect(readDraft(draftOf([{ ...everywhere, namespaces: ['a'] }, everywhere])).grants).toEqual([everywhere])
})

test('names are what is between spaces, line breaks and commas, Chinese ones too', () => {
  expect(namesIn(' a, b\nc，d、a;;e ')).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(namesIn(' \n')).toEqual([])
})

const none = draftOf([])
const withRole = (namespaces: string): GrantsDraft => ({
  ...none,
  roles: { ...none.roles, 'keelson-operator': { place: 'Namespaces', namespaces } },
})
const many = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`).join(' ')

test.each([
  [withRole(''), [{ role: 'keelson-operator', reason: 'NamespacesMissing' }]],
  [withRole('a B c_d'), [{ role: 'keelson-operator', reason: 'NamespacesRefused', names: ['B', 'c_d'] }]],
  [withRole(many(65)), [{ role: 'keelson-operator', reason: 'NamespacesTooMany' }]],
  [{ ...none, hosts: [newHosts(none)] }, [{ hosts: 0, reason: 'HostsMissing' }]],
  [
    { ...none, hosts: [{ ...newHosts(none), hosts: 'a *', areas: [] }] },
    [
      { hosts: 0, reason: 'AreasMissing' },
      { hosts: 0, reason: 'HostsRefused', names: ['*'] },
    ],
  ],
  [{ ...none, hosts: [{ ...newHosts(none), hosts: many(25) }] }, [{ hosts: 0, reason: 'HostsTooMany' }]],
  [{ ...none, hosts: [{ ...newHosts(none), every: true, hosts: '*' }] }, []],
  [withRole(many(64)), []],
])('what is wrong is told where it is: %#', (draft, problems) => {
  const reading = readDraft(draft)
  expect(reading.problems).toEqual(problems)
  expect(reading.grants.every((each) => Grant.safeParse(each).success)).toBe(
    problems.every(({ reason }) => ['NamespacesMissing', 'HostsMissing'].includes(reason)),
  )
})

test('a new row has an id of its own', () => {
  const first = newHosts(none)
  const draft = { ...none, hosts: [{ ...first, id: 7 }] }
  expect(newHosts(draft).id).toBe(8)
})
