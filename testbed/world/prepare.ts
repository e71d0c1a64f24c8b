import { join } from 'node:path'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { baseLayer, webLayer } from '../hosts/layers.ts'
import { agentLayer } from './agent-layer.ts'

export type Prepared = {
  /** Root folders of a host's layers, the uppermost first. */
  readonly layers: readonly string[]
}

/**
 * Everything that is slow to make, from the cache or made now. Called before a capsule is entered, since the network ends there, and
 * again inside, where it finds all of it.
 */
export async function prepareWorld(): Promise<Prepared> {
  const [layers] = await Promise.all([hostLayers(), controlPlaneBinaries()])
  return { layers }
}

async function hostLayers(): Promise<string[]> {
  const base = await baseLayer()
  const layers = [await agentLayer(), await webLayer(base), base]
  return layers.map((layer) => join(layer, 'root'))
}
