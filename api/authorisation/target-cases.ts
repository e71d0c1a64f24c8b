import { http, repeat, type Fields } from '../admission/case.ts'
import { maxNamedHosts } from '../target-policy.ts'
import {
  apply,
  creation,
  everyHost,
  existing,
  jsonPatch,
  may,
  mayNot,
  mergePatch,
  replacement,
  says,
  type AuthorisationCase,
} from './case.ts'
import { manyHosts } from './people.ts'

const to = (names: readonly string[], fields: Fields = {}, rest: Fields = {}) => ({
  workers: names.map((name) => ({ name })),
  http: { ...http, ...fields },
  ...rest,
})
const selector = { hostSelector: { matchLabels: { zone: 'a' } } }

const wide: readonly AuthorisationCase[] = [
  may('everywhere', 'name no host, which means every host', creation(to([]))),
  may('everywhere', 'select hosts', creation(to([], {}, selector))),
  may('everywhere', 'name one host', creation(to(['node1']))),
  may('everywhere', 'name and select', creation(to(['node1'], {}, selector))),
  ...[maxNamedHosts, maxNamedHosts + 1, 1024].map((count) =>
    may('everywhere', `name ${count} hosts`, creation(to(repeat(count, (index) => `node${index}`)))),
  ),
  mayNot(
    'everywhere',
    'use another type',
    creation(to([], { api: '/v1/hostname' })),
    everyHost('everywhere', { subresource: 'hostname', request: 'POST /v1/hostname on port 7117' }),
  ),
  mayNot(
    'everywhere',
    'read',
    creation(to(['node1'], { method: 'GET' })),
    says('everywhere', 'host "node1"', { verb: 'get', request: 'GET /v1/sysctl on port 7117' }),
  ),
  may('reader', 'read on every host', creation(to([], { method: 'GET' }))),
  mayNot('reader', 'change', creation(to([])), everyHost('reader')),
]

const others: readonly AuthorisationCase[] = (['neighbour', 'nobody'] as const).flatMap((person) => [
  mayNot(person, 'name no host', creation(to([])), everyHost(person)),
  mayNot(person, 'name a host', creation(to(['node1'])), says(person, 'host "node1"')),
  mayNot(
    person,
    'read a host',
    creation(to(['node1'], { method: 'GET' })),
    says(person, 'host "node1"', { verb: 'get', request: 'GET /v1/sysctl on port 7117' }),
  ),
])

const named: readonly AuthorisationCase[] = [
  ...[['node1'], ['node2'], ['node1', 'node2'], ['node2', 'node1'], ['node1', 'node1']].map((names) =>
    may('pair', `name ${names.join(' and ')}`, creation(to(names))),
  ),
  may('pair', 'narrow named hosts by a selector', creation(to(['node1', 'node2'], {}, selector))),
  mayNot('pair', 'name no host', creation(to([])), everyHost('pair')),
  mayNot('pair', 'select hosts without naming them', creation(to([], {}, selector)), everyHost('pair')),
  mayNot('pair', 'name another host', creation(to(['node3'])), says('pair', 'host "node3"')),
  mayNot(
    'pair',
    'name one without the right among four: the first is named',
    creation(to(['node1', 'node2', 'node4', 'node3'])),
    says('pair', 'host "node4"'),
  ),
  mayNot(
    'pair',
    'read what it may change',
    creation(to(['node1'], { method: 'GET' })),
    says('pair', 'host "node1"', { verb: 'get', request: 'GET /v1/sysctl on port 7117' }),
  ),
  mayNot(
    'many',
    `name ${maxNamedHosts + 1} hosts, though it has the right to each`,
    creation(to(manyHosts)),
    says('many', 'every host', {
      why: ` when spec.workers names more than ${maxNamedHosts}: it names ${maxNamedHosts + 1}`,
    }),
  ),
  ...repeat(maxNamedHosts, (slot) => {
    const names = manyHosts.slice(0, maxNamedHosts)
    return [
      may('many', `name ${slot + 1} hosts`, creation(to(names.slice(0, slot + 1))), slot + 1),
      mayNot(
        'many',
        `name a stranger as host ${slot + 1} of ${maxNamedHosts}`,
        creation(to(names.with(slot, 'stranger'))),
        says('many', 'host "stranger"'),
        slot,
      ),
    ]
  }).flat(),
]

/** What reaches the agent's type, and what only looks like it. */
const typePaths = ['/v1/sysctl', '/v1/sysctl/', '/v1/sysctl/net/ipv4', '/v1/sysctl/...']
const oddPaths = [
  ...['/', '/v1', '/v1/', '/v1sysctl', '/v1/9sysctl', '/v1/.sysctl', '/v1/sysctl.x', '/v1/sys-ctl', '/v1/sysctl~'],
  ...['/v2/sysctl', '/V1/sysctl', '/x/v1/sysctl', '/sysctl', '/a/b/sysctl'],
]

const paths: readonly AuthorisationCase[] = [
  ...typePaths.map((api) => may('everywhere', `POST ${api}`, creation(to([], { api })))),
  ...(['everywhere', 'neighbour'] as const).flatMap((person) =>
    oddPaths.map((api) => {
      const request = `POST ${api} on port 7117`
      return mayNot(
        person,
        `POST ${api}`,
        creation(to([], { api })),
        everyHost(person, { subresource: 'proxy', request }),
      )
    }),
  ),
  ...oddPaths.map((api) => may('proxy', `POST ${api}`, creation(to([], { api })))),
  mayNot(
    'everywhere',
    'POST /v1/Sysctl',
    creation(to([], { api: '/v1/Sysctl' })),
    everyHost('everywhere', { subresource: 'Sysctl', request: 'POST /v1/Sysctl on port 7117' }),
  ),
  may('proxy', 'use another port, whatever the path', creation(to([], { port: 8080 }))),
  mayNot('proxy', "use the agent's types", creation(to([])), everyHost('proxy')),
  ...[7116, 7118, 8080].map((port) =>
    mayNot(
      'everywhere',
      `use port ${port}`,
      creation(to(['node1'], { port })),
      says('everywhere', 'host "node1"', { subresource: 'proxy', request: `POST /v1/sysctl on port ${port}` }),
    ),
  ),
]

const { spec } = existing as { spec: Fields }

/** Of somebody else's request to every host. */
const updates: readonly AuthorisationCase[] = [
  may('everywhere', 'change the spec', mergePatch({ spec: { timeoutSeconds: 20 } })),
  may('pair', 'make it a request to its own host', mergePatch({ spec: { workers: [{ name: 'node1' }] } })),
  ...(['pair', 'nobody'] as const).flatMap((person) => [
    may(person, 'label', mergePatch({ metadata: { labels: { a: 'b' } } })),
    may(person, 'annotate', jsonPatch([{ op: 'add', path: '/metadata/annotations', value: { a: 'b' } }])),
    may(person, 'label by replacing', replacement(spec, { labels: { a: 'b' } })),
    may(person, 'write what is there already', mergePatch({ spec })),
    may(person, 'apply what is there already', apply('existing', spec)),
    may(person, 'delete', { method: 'DELETE', path: '/existing' }),
    mayNot(person, 'change the spec', mergePatch({ spec: { timeoutSeconds: 20 } }), everyHost(person)),
    mayNot(
      person,
      'change the spec by a JSON patch',
      jsonPatch([{ op: 'add', path: '/spec/parallelism', value: 1 }]),
      everyHost(person),
    ),
    mayNot(person, 'change the spec by replacing', replacement({ ...spec, parallelism: 1 }), everyHost(person)),
    mayNot(person, 'change the spec by applying', apply('existing', { ...spec, parallelism: 1 }), everyHost(person)),
    // JSON knows one kind of number, the API server two: this is a new generation, and so a new run.
    mayNot(person, 'write 10.0 for 10', mergePatch('{"spec": {"timeoutSeconds": 10.0}}'), everyHost(person)),
    mayNot(person, 'apply a new one', apply('new', to([])), everyHost(person)),
  ]),
  may('pair', 'apply a new one to its host', apply('new', to(['node2']))),
]

export const targetCases: readonly AuthorisationCase[] = [...wide, ...others, ...named, ...paths, ...updates]
