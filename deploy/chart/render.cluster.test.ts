import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programs } from '@keelson/testbed'
import { describe, expect, test } from 'vitest'
import type { ValueSchema } from '../chart-values.ts'
import { chart, helm, render, rendered, type Values } from './testing/helm.fixture.ts'
import { everything, modest } from './testing/values.fixture.ts'

const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as ValueSchema

test('the plain manifests in the tree are what the chart renders', async () => {
  const bundle = join(import.meta.dirname, '../bundle.ts')
  const run = promisify(execFile)(process.execPath, [bundle, '--check', join(await programs('helm'), 'helm')])
  expect(await run).toEqual({ stdout: '', stderr: '' })
})

test.each<[string, Values]>([
  ['by default', {}],
  ['with everything on', everything],
  ['with little', modest],
  ['without console and agents', { console: { enabled: false }, agent: { enabled: false }, crds: { install: false } }],
])('helm lint finds nothing to warn of, %s', async (_, values) => {
  const { exitCode, stdout } = await helm(['lint', '--strict', '--namespace', 'keelson-system', chart], { values })
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('1 chart(s) linted, 0 chart(s) failed')])
  expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/)
})

describe('refused, with what to do:', () => {
  test('another namespace', async () => {
    const { exitCode, stderr } = await helm(['template', 'keelson', chart, '--namespace', 'elsewhere'])
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('Keelson lives in the namespace keelson-system, not in elsewhere')
    expect(stderr).toContain('Give --namespace keelson-system')
  })

  const https = 'https://console.example.org'
  test.each<[string, Values, string]>([
    [
      'several consoles with SQLite',
      { console: { replicas: 2 } },
      'Give console.replicas=1 or console.database.type=PostgreSQL',
    ],
    [
      'several consoles, each with a session secret of its own',
      { console: { replicas: 2, database: { type: 'PostgreSQL', postgresql: { secretName: 'db' } } } },
      'Give console.sessionSecret.secretName',
    ],
    [
      'PostgreSQL without its URL',
      { console: { database: { type: 'PostgreSQL' } } },
      'give console.database.postgresql.secretName',
    ],
    [
      'passwords in the clear',
      { console: { trustedProxies: [] } },
      'Give an https URL, or name the proxy that ends TLS',
    ],
    ['an Ingress without https', { console: { ingress: { enabled: true } } }, 'give the https URL that browsers use'],
    ['a value that there is not', { operator: { replica: 3 } }, "additional properties 'replica' not allowed"],
    ['a group that there is not', { nodes: {} }, "additional properties 'nodes' not allowed"],
    ['a value of another type', { operator: { replicas: '3' } }, 'got string, want integer'],
    ['a value out of its bounds', { operator: { replicas: 0 } }, 'minimum: got 0, want 1'],
    ['another word', { agent: { state: 'Gone' } }, "value must be one of 'Present', 'Absent'"],
    ['a share of nothing', { agent: { maxUnavailable: '0%' } }, 'does not match pattern'],
    ['no URL', { console: { publicUrl: 'console.example.org' } }, 'does not match pattern'],
    ['a path in the URL', { console: { publicUrl: `${https}/console` } }, 'does not match pattern'],
    ['half a digest', { image: { digest: 'sha256:12' } }, 'does not match pattern'],
  ])('%s', async (_, values, words) => {
    await expect(render(values)).rejects.toThrow(words)
  })
})

describe('every value is read:', () => {
  type Leaf = readonly [path: string, schema: ValueSchema]

  function* leaves(group: ValueSchema, path = ''): Generator<Leaf> {
    for (const [name, member] of Object.entries(group.properties ?? {}))
      if (member.properties !== undefined) yield* leaves(member, `${path}${name}.`)
      else if (member.default !== undefined) yield [`${path}${name}`, member]
  }

  /** Other than the default, and than what `everything` says. */
  const other: Readonly<Record<string, unknown>> = {
    'image.digest': `sha256:${'1'.repeat(64)}`,
    'agent.maxUnavailable': 7,
    'console.publicUrl': 'https://other.example.org',
    'console.kubernetesPublicUrl': 'https://other.example.org',
    'console.database.persistentVolumeClaim.size': '7Gi',
    'metrics.serviceMonitor.interval': '7m',
    'console.bindAddress': '::',
    'networkPolicy.apiServerPorts': [7443],
  }

  function changed(path: string, { type, enum: choices, default: value }: ValueSchema): readonly unknown[] {
    if (path in other) return [other[path]]
    if (choices !== undefined) return choices
    if (type === 'boolean') return [true, false]
    if (type === 'integer') return [(value as number) + 1]
    if (type === 'array')
      return [path === 'console.trustedProxies' || /Cidrs|Secrets/.test(path) ? ['10.7.0.0'] : [{ key: 'other' }]]
    return [type === 'object' ? { other: 'other' } : 'other']
  }

  const withValue = (base: Values, path: string, value: unknown): Values => {
    const [name, ...rest] = path.split('.') as [string, ...string[]]
    const inner = (base[name] ?? {}) as Values
    return { ...base, [name]: rest.length === 0 ? value : withValue(inner, rest.join('.'), value) }
  }

  const claim = { console: { database: { type: 'PersistentVolumeClaim' } } }
  const bases: readonly Values[] = [claim, everything]

  test.each([...leaves(schema)])('%s', async (path, value) => {
    const seen = new Set<string>()
    for (const base of bases)
      for (const next of changed(path, value)) {
        const [before, after] = await Promise.all(
          [base, withValue(base, path, next)].map((values) => render(values).catch(() => undefined)),
        )
        if (after !== undefined) seen.add(String(before === after))
      }
    expect([path, ...seen]).toContain('false')
  })
})

test('what hooks do can wedge an upgrade: there are none; nor is there a finalizer', async () => {
  for (const values of [{}, everything, modest]) {
    const text = await render(values)
    expect(text).not.toMatch(/helm\.sh\/hook|finalizers/)
  }
})

test('selectors hold nothing that an upgrade changes', async () => {
  type Selecting = { readonly spec: { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } } }
  const kinds = ['Deployment', 'DaemonSet']
  const selectors = (await rendered())
    .filter(({ kind }) => kinds.includes(kind))
    .map((object) => Object.keys((object as unknown as Selecting).spec.selector.matchLabels))
  const stable = ['name', 'instance', 'component'].map((name) => `app.kubernetes.io/${name}`)
  expect(selectors).toEqual([stable, stable, stable])
})

test('every object says by the standard labels what it belongs to', async () => {
  const lacking = (await rendered(everything)).filter(({ metadata: { labels = {} } }) =>
    ['name', 'instance', 'component', 'part-of', 'managed-by'].some(
      (name) => labels[`app.kubernetes.io/${name}`] === undefined,
    ),
  )
  expect(lacking).toEqual([])
})

test('a text that YAML would take for a number stays a text', async () => {
  const seven = '7'
  const console = {
    ...{ replicas: 2, sessionSecret: { secretName: seven, secretKey: seven }, publicUrl: 'https://7' },
    database: { type: 'PostgreSQL', postgresql: { secretName: seven, secretKey: seven } },
    ...{ ingress: { enabled: true, className: seven, tlsSecretName: seven }, priorityClassName: seven },
  }
  const claim = { existingClaim: seven, storageClassName: seven }
  const values: readonly Values[] = [
    { image: { repository: seven, tag: seven, pullSecrets: [seven] }, console },
    { console: { database: { persistentVolumeClaim: claim } }, operator: { priorityClassName: seven } },
    { console: { database: { persistentVolumeClaim: { ...claim, existingClaim: '' } } } },
  ]
  const named = /^(secretName|key|host|ingressClassName|priorityClassName|claimName|storageClassName|name)$/
  const found: unknown[] = []
  const visit = (name: string, value: unknown) => {
    if (typeof value === 'object' && value !== null)
      for (const [key, member] of Object.entries(value)) visit(key, member)
    else if (named.test(name) && (value === seven || value === 7)) found.push(value)
  }
  for (const each of values) visit('', await rendered(each))
  expect(found.length).toBeGreaterThan(10)
  expect(new Set(found)).toEqual(new Set([seven]))
})
