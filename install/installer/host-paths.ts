import { lstat, readlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { InstallerError } from './installer-error.ts'

export const agentUnit = 'keelson-agent.service'

/** Folders of the agent's own, from the host's root: `keelson` in each of these. */
const parents = ['opt', 'etc', 'var/lib', 'run'] as const
const unitFolder = 'etc/systemd/system'

/** Where things lie on a host whose root folder is `root`. */
export type HostPaths = ReturnType<typeof hostPaths>

export function hostPaths(root: string) {
  const at = (path: string): string => join(root, path)
  return {
    root,
    programs: at('opt/keelson'),
    versions: at('opt/keelson/versions'),
    /** A link to one of the versions; the unit starts what it names. */
    current: at('opt/keelson/current'),
    settings: at('etc/keelson'),
    config: at('etc/keelson/agent.json'),
    state: at('var/lib/keelson'),
    certificates: at('var/lib/keelson/tls'),
    record: at('var/lib/keelson/installer.json'),
    runtime: at('run/keelson'),
    /** Written by the agent when it listens, removed by systemd when it ends. */
    running: at('run/keelson/agent.json'),
    unit: at(`${unitFolder}/${agentUnit}`),
  } as const
}

/** As the agent itself, which runs on the host, has to name them. */
export const pathsOfAgent = hostPaths('/')

/**
 * An absolute link would lead out of the host's root folder, into our own.
 *
 * @throws InstallerError `HostLayoutUnsupported`
 */
export async function refuseForeignLinks(root: string): Promise<void> {
  for (const folder of [...parents, unitFolder]) {
    const parts = folder.split('/')
    for (const [index] of parts.entries()) {
      const path = parts.slice(0, index + 1).join('/')
      const found = await lstat(join(root, path)).catch(() => undefined)
      if (found?.isSymbolicLink() !== true) continue
      const target = await readlink(join(root, path))
      if (isAbsolute(target))
        throw new InstallerError(
          'HostLayoutUnsupported',
          `/${path} of the host is a link to ${target}: make it a relative link, or a folder`,
        )
    }
  }
}
