import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { minimumGo } from './go.ts'
import { programSets, type ProgramSet } from './modules.ts'
import { requiredVersion } from './programs.ts'

const sets: readonly ProgramSet[] = Object.values(programSets)
const file = (module: string, name = 'go.mod') => join(import.meta.dirname, module, name)

test.each(sets.filter(({ versionOf }) => versionOf !== undefined))(
  'each program of $module is a tool of its go.mod, so that go.sum covers what it is made of',
  async ({ module, programs }) => {
    const text = await readFile(file(module), 'utf8')
    const block = /^tool (?:\(([^)]*)\)|(\S+))$/m.exec(text)
    const tools = (block?.[1] ?? block?.[2] ?? '').trim().split(/\s+/)
    expect(tools).toEqual(expect.arrayContaining(Object.values(programs).map(({ path }) => path)))
  },
)

test('the least Go that is taken is the highest that a module wants', async () => {
  const texts = await Promise.all(sets.map(({ module }) => readFile(file(module), 'utf8')))
  const wanted = texts.map((text) => /^go (\S+)$/m.exec(text)?.[1] ?? 'none')
  expect(wanted.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0]).toBe(minimumGo)
})

describe('versions that belong together', () => {
  const kubernetes = file('kubernetes')

  test('the parts of Kubernetes are of one release', async () => {
    const version = await requiredVersion(kubernetes, 'k8s.io/kubernetes')
    const staged = `v0.${version.split('.').slice(1).join('.')}`
    const text = await readFile(kubernetes, 'utf8')
    const replaced = [...text.matchAll(/^\s*(k8s\.io\/\S+) => \1 (\S+)$/gm)]
    expect(replaced.map(([, name]) => name)).toContain('k8s.io/component-base')
    expect(replaced.filter(([, , found]) => found !== staged)).toEqual([])
  })

  test('Helm speaks with a Kubernetes of the same minor version', async () => {
    const [, minor] = (await requiredVersion(kubernetes, 'k8s.io/kubernetes')).split('.')
    expect(await requiredVersion(file('helm'), 'k8s.io/client-go')).toMatch(new RegExp(`^0\\.${minor}\\.`))
  })

  test('the network plug-ins are those that containerd is tested with', async () => {
    const name = 'github.com/containernetworking/plugins'
    expect(await requiredVersion(file('cni-plugins'), name)).toBe(await requiredVersion(file('containerd'), name))
  })
})
