import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { bundleExecutable } from '@keelson/cli/bundle'
import { deployFolder } from '@keelson/deploy'
import { contentKey } from '../cache.ts'
import { fileLayer } from '../hosts/layers.ts'
import { bundled, enableUnit, writeFiles } from './unit-layer.ts'

const unit = 'keelson-agent.service'

/** A release as it lies on a host when installed: Node and the executable in a folder of their own, `current` that leads there, and the agent's unit, enabled. */
export async function agentLayer(): Promise<string> {
  const executable = await bundled(bundleExecutable)
  const unitText = await readFile(join(deployFolder, 'systemd', unit))
  const key = contentKey(...[...executable].flat(), unitText, productVersion, process.version)
  return fileLayer('agent', key, async (root) => {
    const versions = join(root, 'opt/keelson/versions')
    const release = `${productVersion}-${key.slice(0, 12)}`
    await mkdir(join(versions, release, 'bin'), { recursive: true })
    const node = join(versions, release, 'bin/node')
    await copyFile(process.execPath, node)
    await chmod(node, 0o755)
    await writeFiles(join(versions, release), executable)
    await writeFiles(join(versions, release, 'systemd'), new Map([[unit, unitText]]))
    await writeFile(join(versions, release, 'version'), `${productVersion}\n`)
    await symlink(`versions/${release}`, join(root, 'opt/keelson/current'))
    await enableUnit(root, unit, unitText)
  })
}
