import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openApi } from './openapi.ts'
import { routes } from './protocol/index.ts'

const document = JSON.parse(JSON.stringify(openApi())) as {
  paths: Record<
    string,
    Record<string, { operationId: string; parameters: { name: string; in: string; schema: object }[] }>
  >
  components: { schemas: Record<string, unknown> }
}

test('what is in git is what would be generated', () => {
  const argv = [join(import.meta.dirname, 'generate.ts'), '--check']
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
}, 60_000)

test('every route is in it, under its name, with the parameters of its path', () => {
  for (const { name, method, path } of routes) {
    const operation = document.paths[path.replaceAll(/:([a-z]+)/gi, '{$1}')]?.[method.toLowerCase()]
    expect(operation?.operationId).toBe(name)
    const inPath = operation!.parameters
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => parameter.name)
    expect(inPath).toEqual([...path.matchAll(/:([a-z]+)/gi)].map(([, parameter]) => parameter))
    const csrf = operation!.parameters.some((parameter) => parameter.name === 'X-CSRF-Token')
    expect(csrf).toBe(method !== 'GET')
  }
})

test('every reference leads somewhere, and nothing is left without a type', () => {
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!)
  expect(references.length).toBeGreaterThan(20)
  for (const name of references) expect(document.components.schemas).toHaveProperty(name)
  expect(text).not.toContain('$defs')
  for (const operations of Object.values(document.paths))
    for (const { parameters } of Object.values(operations))
      for (const { schema } of parameters) expect(schema).not.toEqual({})
})
