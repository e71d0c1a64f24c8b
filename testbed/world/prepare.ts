import { join } from 'node:path'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { baseLayer, webLayer } from '../hosts/layers.ts'
import { agentLayer } from './agent-layer.ts'
import { consolePages } from './console-pages.ts'
import { kubeletLayer } from './kubelet-layer.ts'

/** By this a capsule's starter tells the inside which layers it prepared. */
const layersVariable = 'KEELSON_HOST_LAYERS'
const pagesVariable = 'KEELSON_BUILT_PAGES'

/**
 * Makes everything that is slow to make, or finds it in the cache. Called before a capsule is entered, since the network ends there.
 *
 * @returns environment for the capsule, by which a World finds it.
 */
export async function prepareWorld(): Promise<Record<string, string>> {
  const [layers, pages] = await Promise.all([hostLayers(), consolePages(), controlPlaneBinaries()])
  return { [layersVariable]: layers.join(':'), [pagesVariable]: pages }
}

/** Inside a capsule: root folders of a host's layers, the uppermost first. */
export function preparedLayers(): string[] {
  const layers = process.env[layersVariable]
  if (layers === undefined)
    throw new Error(
      'A world needs its layers, which are made before a capsule is entered: use `make test` or `make demo`',
    )
  return layers.split(':')
}

/** Inside a capsule: the folder with the built pages of the console. */
export function preparedPages(): string {
  const pages = process.env[pagesVariable]
  if (pages === undefined)
    throw new Error('the pages of the console are made before a capsule is entered: use `make test` or `make demo`')
  return pages
}

async function hostLayers(): Promise<string[]> {
  const base = await baseLayer()
  const layers = [await kubeletLayer(), await agentLayer(), await webLayer(base), base]
  return layers.map((layer) => join(layer, 'root'))
}
