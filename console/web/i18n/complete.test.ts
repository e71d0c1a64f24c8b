import { expect, test } from 'vitest'
import { en } from './en.ts'
import { zhCN } from './zh-CN.ts'

/** Texts that are the same in Chinese, or hold no Chinese character there: looked at by a person, one by one. */
const reviewed: ReadonlySet<string> = new Set(['shell.product'])

function flatten(texts: object, path = ''): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value]] : flatten(value as object, `${path}${key}.`),
  )
}

const english = new Map(flatten(en))
const chinese = new Map(flatten(zhCN))
const isChinese = (key: string, text: string) => text !== english.get(key) && /\p{Script=Han}/u.test(text)
const variables = (text: string) =>
  [...text.matchAll(/\{\{\s*(\w+)/g)]
    .map(([, name]) => name!)
    .toSorted()
    .filter((name, index, names) => name !== names[index - 1])

test('both languages have the same keys; Chinese has one plural form', () => {
  const expected = [...english.keys()].filter((key) => !key.endsWith('_one'))
  expect([...chinese.keys()].toSorted()).toEqual(expected.toSorted())
})

test('every plural has both of its English forms', () => {
  const singular = [...english.keys()].filter((key) => key.endsWith('_one'))
  expect([...english.keys()]).toEqual(expect.arrayContaining(singular.map((key) => key.replace(/_one$/, '_other'))))
})

test.each([...chinese])('%s is Chinese: %s', (key, text) => {
  expect(text.trim()).not.toBe('')
  expect(variables(text)).toEqual(variables(english.get(key)!))
  expect(isChinese(key, text) || reviewed.has(key)).toBe(true)
})

test('what was reviewed is there, and needs it', () => {
  for (const key of reviewed) {
    expect(chinese.has(key)).toBe(true)
    expect(isChinese(key, chinese.get(key)!)).toBe(false)
  }
})
