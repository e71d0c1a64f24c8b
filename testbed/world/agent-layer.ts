import { bundleAgent } from '@keelson/agent/bundle'
import { bundleExecutable } from '@keelson/cli/bundle'
import { deployFolder } from '@keelson/deploy'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contentKey } from '../cache.ts'
import { fileLayer } from '../hosts/layers.ts'
import { bundled, enableUnit } from './unit-layer.ts'

const unit = 'keelson-agent.service'

/** The agent as it lies on a host when shipped: Node, the agent and the executable under /opt/keelson, and the agent's unit, enabled. */
export async function agentLayer(): Promise<string> {
  const bundle = await bundled('agent.js', bundleAgent)
  const executable = await bundled('keelson.mjs', bundleExecutable)
  const unitText = await readFile(join(deployFolder, 'systemd', unit), 'utf8')
  return fileLayer('agent', contentKey(bundle, executable, unitText, process.version), async (root) => {
    const programs = join(root, 'opt/keelson')
    await mkdir(join(programs, 'bin'), { recursive: true })
    await copyFile(process.execPath, join(programs, 'bin/node'))
    await chmod(join(programs, 'bin/node'), 0o755)
    await writeFile(join(programs, 'agent.js'), bundle)
    await writeFile(join(programs, 'keelson.mjs'), executable)
    await enableUnit(root, unit, unitText)
  })
}
