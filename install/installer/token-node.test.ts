import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeUidOfToken } from './token-node.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-token-'))
})
afterAll(() => rm(folder, { recursive: true }))

const token = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

test.each([
  ['names its Node', token({ 'kubernetes.io': { node: { name: 'node1', uid: 'uid-1' } } }), 'uid-1'],
  ['is of no Node', token({ 'kubernetes.io': { pod: { name: 'pod' } } }), undefined],
  ['has claims of another shape', token({ 'kubernetes.io': { node: { uid: 1 } } }), undefined],
  ['has no claims', token(null), undefined],
  ['is none', 'nothing', undefined],
])('a token that %s', async (_case, text, uid) => {
  const file = join(folder, 'token')
  await writeFile(file, text)
  expect(await nodeUidOfToken(file)).toBe(uid)
})

test('a token that is not there', async () => {
  expect(await nodeUidOfToken(join(folder, 'missing'))).toBeUndefined()
})
