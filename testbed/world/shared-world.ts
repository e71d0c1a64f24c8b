import { beforeAll } from 'vitest'
import { Requests } from './requests.ts'
import { World, type WorldOptions } from './world.ts'

export type SharedWorld = { readonly world: World; readonly requests: Requests }

/** One world for all tests of a file, or of a `describe`: made, with every host Ready in the operator's eyes, before the first of them and gone after the last. */
export function sharedWorld(options: WorldOptions, given: (shared: SharedWorld) => unknown): void {
  beforeAll(async () => {
    const world = await World.start({ factsIntervalSeconds: 1, ...options })
    try {
      // It is the operator that finds them so.
      if (options.operator !== false) await world.hostsReady()
      await given({ world, requests: new Requests(world.client) })
    } catch (error) {
      await world[Symbol.asyncDispose]()
      throw error
    }
    return () => world[Symbol.asyncDispose]()
  })
}
