import { keyOf, type KubernetesObject } from './object.ts'
import type { WatchEvent } from './watch-stream.ts'

/** What happened to one object. On `deleted`, `object` is its last known state. `previous` is what the store held before. */
export type Change<T> =
  | { readonly type: 'added'; readonly object: T; readonly previous: undefined }
  | { readonly type: 'updated'; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly object: T; readonly previous: T }

/** Objects are frozen, deeply: they are shared by everyone who reads them. */
export interface ReadonlyStore<T> {
  readonly size: number
  /** By `namespace/name`, or `name` for a cluster-scoped kind. */
  get(key: string): T | undefined
  /** In the order of the keys. */
  list(): T[]
}

/** The objects of a kind as last seen, without managedFields. */
export class Store<T extends KubernetesObject> implements ReadonlyStore<T> {
  #objects: Map<string, T> = new Map()

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): T[] {
    return [...this.#objects].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** Takes one event of a watch. Undefined where there is nothing to tell: the deletion of what was never known. */
  apply(event: Exclude<WatchEvent<T>, { type: 'BOOKMARK' }>): Change<T> | undefined {
    const object = stored(event.object)
    const key = keyOf(object)
    const previous = this.#objects.get(key)
    if (event.type === 'DELETED') {
      this.#objects.delete(key)
      return previous && { type: 'deleted', object, previous }
    }
    this.#objects.set(key, object)
    return previous ? { type: 'updated', object, previous } : { type: 'added', object, previous }
  }

  /**
   * Takes the whole of a LIST at once and tells the difference, deletions first. A key whose object was deleted and made again in between (its uid
   * tells) is reported as both.
   */
  replace(items: readonly T[]): Change<T>[] {
    const before = this.#objects
    const after = new Map(items.map((item) => [keyOf(item), stored(item)]))
    const deletions: Change<T>[] = []
    const rest: Change<T>[] = []
    for (const [key, previous] of before) {
      if (!isSame(after.get(key), previous)) deletions.push({ type: 'deleted', object: previous, previous })
    }
    for (const [key, object] of after) {
      const previous = before.get(key)
      if (!previous || !isSame(previous, object)) {
        rest.push({ type: 'added', object, previous: undefined })
      } else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
        rest.push({ type: 'updated', object, previous })
      }
    }
    this.#objects = after
    return [...deletions, ...rest]
  }
}

function isSame(a: KubernetesObject | undefined, b: KubernetesObject): boolean {
  return a !== undefined && a.metadata.uid === b.metadata.uid
}

function stored<T extends KubernetesObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata
  return freeze({ ...object, metadata })
}

function freeze<V>(value: V): V {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const member of Object.values(value)) freeze(member)
    Object.freeze(value)
  }
  return value
}
