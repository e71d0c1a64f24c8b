import { bundleAgent } from '@keelson/agent/bundle'
import { bundleExecutable } from '@keelson/cli/bundle'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { contentKey } from '../cache.ts'
import { fileLayer } from '../hosts/layers.ts'

const unit = 'keelson-agent.service'

/** The agent as it lies on a host when shipped: Node, the agent and the executable under /opt/keelson, and the agent's unit, enabled. */
export async function agentLayer(): Promise<string> {
  const bundle = await bundled('agent.js', bundleAgent)
  const executable = await bundled('keelson.mjs', bundleExecutable)
  const unitText = await readFile(resolve(import.meta.dirname, '../../deploy/systemd', unit))
  return fileLayer('agent', contentKey(bundle, executable, unitText, process.version), async (root) => {
    const programs = join(root, 'opt/keelson')
    const units = join(root, 'etc/systemd/system')
    const wants = join(units, 'multi-user.target.wants')
    await mkdir(join(programs, 'bin'), { recursive: true })
    await mkdir(wants, { recursive: true })
    await copyFile(process.execPath, join(programs, 'bin/node'))
    await chmod(join(programs, 'bin/node'), 0o755)
    await writeFile(join(programs, 'agent.js'), bundle)
    await writeFile(join(programs, 'keelson.mjs'), executable)
    await writeFile(join(units, unit), unitText)
    await symlink(`/etc/systemd/system/${unit}`, join(wants, unit))
  })
}

async function bundled(name: string, bundle: (outfile: string) => Promise<void>): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-bundle-'))
  try {
    const file = join(directory, name)
    await bundle(file)
    return await readFile(file)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
