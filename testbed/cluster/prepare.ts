import { join } from 'node:path'
import { programs } from '../programs/programs.ts'
import { nodeLayers } from './node-layers.ts'
import { imageStore } from './store.ts'

/** By this a capsule's starter tells the inside what it prepared. */
const variable = 'KEELSON_PREPARED_CLUSTER'

export type PreparedCluster = {
  /** Root folders of a host's layers, the uppermost first. */
  readonly layers: readonly string[]
  /** Folder of containerd with the images of a node. */
  readonly store: string
}

/**
 * Makes everything of a {@link Cluster} that is slow to make, or finds it in the cache. Called before a capsule is entered, since the network ends there.
 *
 * @returns environment for the capsule, by which a cluster finds it
 */
export async function prepareCluster(): Promise<Record<string, string>> {
  const layers = await nodeLayers()
  const store = await imageStore(layers)
  await programs('helm')
  const prepared: PreparedCluster = {
    layers: layers.map((layer) => join(layer, 'root')),
    store: join(store, 'store'),
  }
  return { [variable]: JSON.stringify(prepared) }
}

/** Inside a capsule. */
export function preparedCluster(): PreparedCluster {
  const prepared = process.env[variable]
  if (prepared === undefined)
    throw new Error('A cluster is prepared before a capsule is entered: use `make test` or `make demo`')
  return JSON.parse(prepared) as PreparedCluster
}
