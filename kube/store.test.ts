import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOf, nameOf, type KubernetesObject } from './object.ts'
import { Store } from './store.ts'

const object = fc.record({
  metadata: fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    namespace: fc.constantFrom(undefined, 'x', 'y'),
    uid: fc.constantFrom('1', '2'),
    resourceVersion: fc.constantFrom('5', '6', '7'),
    managedFields: fc.constant([{ manager: 'someone' }]),
  }),
  spec: fc.constant({ list: [{ deep: true }] }),
})
const list = fc.uniqueArray(object, { selector: keyOf, maxLength: 8 })

function versions(objects: readonly KubernetesObject[]): string[] {
  return objects.map((each) => `${keyOf(each)} ${each.metadata.uid} ${each.metadata.resourceVersion}`).toSorted()
}

describe('Store', () => {
  test('the changes that replace tells lead from the old list to the new one', () => {
    fc.assert(
      fc.property(list, list, (before, after) => {
        const store = new Store<KubernetesObject>()
        store.replace(before)
        const replayed = new Map(before.map((each) => [keyOf(each), each as KubernetesObject]))
        for (const change of store.replace(after)) {
          const key = keyOf(change.object)
          const known = replayed.get(key)
          expect(change.previous?.metadata.resourceVersion).toBe(known?.metadata.resourceVersion)
          // An object that was made again under the same name is never an update.
          expect(change.type === 'updated' && change.object.metadata.uid !== known?.metadata.uid).toBe(false)
          if (change.type === 'deleted') replayed.delete(key)
          else replayed.set(key, change.object)
        }
        expect(versions([...replayed.values()])).toEqual(versions(after))
        expect(versions(store.list())).toEqual(versions(after))
        expect(store.replace(after)).toEqual([])
      }),
    )
  })

  test('tells an event by what was known before it', () => {
    const store = new Store<KubernetesObject>()
    const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', resourceVersion: string) =>
      store.apply({ type, resourceVersion, object: { metadata: { name: 'a', resourceVersion } } })
    expect(event('DELETED', '1')).toBeUndefined()
    expect(event('MODIFIED', '2')).toMatchObject({ type: 'added' })
    expect(event('ADDED', '3')).toMatchObject({ type: 'updated', previous: { metadata: { resourceVersion: '2' } } })
    expect(event('DELETED', '4')).toMatchObject({ type: 'deleted', object: { metadata: { resourceVersion: '4' } } })
    expect(store.size).toBe(0)
  })

  test('holds objects frozen, without managedFields, in the order of their keys', () => {
    fc.assert(
      fc.property(list, (items) => {
        const store = new Store<(typeof items)[number]>()
        store.replace(items)
        expect(store.list().map(keyOf)).toEqual(items.map(keyOf).toSorted((a, b) => (a < b ? -1 : 1)))
        for (const each of store.list()) {
          expect(each.metadata).not.toHaveProperty('managedFields')
          expect(() => Object.assign(each.spec.list[0], { deep: false })).toThrow(TypeError)
          expect(store.get(keyOf(each))).toBe(each)
          expect(nameOf(keyOf(each))).toEqual({
            name: each.metadata.name,
            ...(each.metadata.namespace === undefined ? {} : { namespace: each.metadata.namespace }),
          })
        }
      }),
    )
  })
})
