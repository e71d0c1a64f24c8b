import { expect, test } from 'vitest'
import { dropDraft, keepDraft, readDraft } from './draft.ts'
import { emptyForm, emptyParameter } from './request-form.ts'

class MemoryStorage {
  readonly items = new Map<string, string>()
  isFull = false
  getItem(key: string): string | null {
    return this.items.get(key) ?? null
  }
  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException('full', 'QuotaExceededError')
    this.items.set(key, value)
  }
  removeItem(key: string): void {
    this.items.delete(key)
  }
}

test('a draft is what was typed, without the value of what comes from a Secret', () => {
  const storage = new MemoryStorage()
  expect(readDraft(storage)).toBeUndefined()
  const secret = { ...emptyParameter, key: 'a', source: 'Secret' as const, secretName: 's', secretKey: 'k' }
  const form = { ...emptyForm, name: 'x', parameters: [{ ...emptyParameter, key: 'b', value: '1' }, secret] }
  keepDraft(storage, { ...form, parameters: [form.parameters[0]!, { ...secret, value: 'hunter2' }] })
  expect(readDraft(storage)).toEqual(form)
  expect([...storage.items.values()].join()).not.toContain('hunter2')
  dropDraft(storage)
  expect(readDraft(storage)).toBeUndefined()
})

test('a draft of another version, or that was cut off, is none', () => {
  const storage = new MemoryStorage()
  for (const text of ['{"name":"x"}', '{', 'null']) {
    storage.items.set('keelson.draft', text)
    expect(readDraft(storage)).toBeUndefined()
  }
})

test('where the storage is full no old draft is left either', () => {
  const storage = new MemoryStorage()
  keepDraft(storage, emptyForm)
  storage.isFull = true
  keepDraft(storage, { ...emptyForm, name: 'x' })
  expect(readDraft(storage)).toBeUndefined()
})
