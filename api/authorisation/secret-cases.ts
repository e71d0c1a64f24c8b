import { http, repeat, type Fields } from '../admission/case.ts'
import { maxSecretParameters } from '../secret-policy.ts'
import { apply, creation, jsonPatch, may, mayNot, mergePatch, requestOf, type AuthorisationCase } from './case.ts'
import { manySecrets, userName, type Person } from './people.ts'

const from = (name: string, index = 0) => ({
  key: `k${index}`,
  valueFrom: { secretKeyRef: { name, key: 'password' } },
})
const plain = { key: 'plain', value: 'secret0' }
const requestWith = (...parameters: readonly Fields[]) => ({ workers: [], http: { ...http, parameters } })
const secretsOf = (names: readonly string[]) => requestWith(plain, ...names.map(from))

/** The words of a refusal; the namespace is that of the request. */
const says = (person: Person, secret: string) => (namespace: string) =>
  `user "${userName(person)}" may not get the Secret "${secret}" in the namespace "${namespace}", as a value from it requires`

const tooMany = (count: number) => `${count} parameters come from Secrets, and ${maxSecretParameters} may`

const rights: readonly AuthorisationCase[] = [
  ...(['keeper', 'wildcard', 'local'] as const).flatMap((person) => [
    may(person, 'send one Secret', creation(secretsOf(['secret0']))),
    may(person, 'send a Secret that is not there', creation(secretsOf(['stranger']))),
    may(person, 'send several', creation(secretsOf(['secret0', 'stranger', 'secret0']))),
  ]),
  ...(['everywhere', 'peeper', 'abroad'] as const).flatMap((person) => [
    may(person, 'send plain values', creation(requestWith(plain))),
    may(person, 'send none', creation(requestWith())),
    mayNot(person, 'send a Secret', creation(secretsOf(['secret0'])), says(person, 'secret0')),
  ]),
  may('clerk', 'send the same Secret twice', creation(secretsOf(['secret1', 'secret1']))),
  mayNot('clerk', 'send another Secret', creation(secretsOf(['stranger'])), says('clerk', 'stranger')),
  mayNot(
    'clerk',
    'send a Secret whose name begins alike',
    creation(secretsOf(['secret0.x'])),
    says('clerk', 'secret0.x'),
  ),
  mayNot(
    'clerk',
    'send two without the right: the first is named',
    creation(secretsOf(['secret0', 'b', 'a'])),
    says('clerk', 'b'),
  ),
  ...[maxSecretParameters, maxSecretParameters + 1].map((count) => {
    const write = creation(secretsOf(repeat(count, () => 'secret0')))
    return count > maxSecretParameters
      ? mayNot('clerk', `send ${count} values`, write, tooMany(count))
      : may('clerk', `send ${count} values`, write)
  }),
  ...repeat(maxSecretParameters, (slot) => [
    may('clerk', `send ${slot + 1} Secrets`, creation(secretsOf(manySecrets.slice(0, slot + 1))), slot + 1),
    mayNot(
      'clerk',
      `send a stranger as Secret ${slot + 1} of ${maxSecretParameters}`,
      creation(secretsOf(manySecrets.with(slot, 'stranger'))),
      says('clerk', 'stranger'),
      slot,
    ),
  ]).flat(),
]

/** Of somebody else's request, which bears no Secret as it is. */
const toSecret = { spec: { http: { parameters: [from('stranger')] } } }
const updates: readonly AuthorisationCase[] = [
  may('keeper', 'put a Secret into a request that is there', mergePatch(toSecret)),
  mayNot('clerk', 'put a Secret into a request that is there', mergePatch(toSecret), says('clerk', 'stranger')),
  mayNot(
    'clerk',
    'put a Secret into it by a JSON patch',
    jsonPatch([{ op: 'add', path: '/spec/http/parameters', value: [from('stranger')] }]),
    says('clerk', 'stranger'),
  ),
  mayNot('clerk', 'apply a new one with a Secret', apply('new', secretsOf(['stranger'])), says('clerk', 'stranger')),
]

/** Of somebody else's request that bears a Secret. */
const on = (write: ReturnType<typeof mergePatch>) => ({ ...write, path: '/secretive' })
const standing: readonly AuthorisationCase[] = [
  may('keeper', 'change a request that bears a Secret', on(mergePatch({ spec: { timeoutSeconds: 20 } }))),
  may('clerk', 'label a request that bears a Secret', on(mergePatch({ metadata: { labels: { a: 'b' } } }))),
  may('clerk', 'take the Secret out of it', on(mergePatch({ spec: { http: { parameters: [] } } }))),
  mayNot(
    'clerk',
    'change the rest of a request that bears a Secret',
    on(mergePatch({ spec: { http: { api: '/v1/sysctl/x' } } })),
    says('clerk', 'stranger'),
  ),
  mayNot(
    'clerk',
    'write 10.0 for 10 into it',
    on(mergePatch('{"spec": {"timeoutSeconds": 10.0}}')),
    says('clerk', 'stranger'),
  ),
]

/** What is there before anybody writes: a request with a Secret that `clerk` may not get. */
export const secretive = requestOf('secretive', secretsOf(['stranger']))

export const secretCases: readonly AuthorisationCase[] = [...rights, ...updates, ...standing]
