import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { bundleExecutable } from '@keelson/cli/bundle'
import { deployFolder, layOutRelease } from '@keelson/deploy'
import { contentKey } from '../cache.ts'
import { fileLayer } from '../hosts/layers.ts'
import { bundled, enableUnit } from './unit-layer.ts'

const unit = 'keelson-agent.service'

/** A release as it lies on a host when installed, in a folder of its own with `current` that leads there; and the agent's unit, enabled. */
export async function agentLayer(): Promise<string> {
  const executable = await bundled(bundleExecutable)
  const unitText = await readFile(join(deployFolder, 'systemd', unit))
  const key = contentKey(...[...executable].flat(), unitText, productVersion, process.version)
  return fileLayer('agent', key, async (root) => {
    const release = `versions/${productVersion}-${key.slice(0, 12)}`
    await layOutRelease(join(root, 'opt/keelson', release))
    await symlink(release, join(root, 'opt/keelson/current'))
    await enableUnit(root, unit, unitText)
  })
}
