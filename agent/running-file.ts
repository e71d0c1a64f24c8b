import { join } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { replaceFile } from '@keelson/engine'

type Running = {
  readonly version: string
  readonly pid: number
  readonly address: string
  readonly port: number
}

/**
 * Tells whoever looks at this host that the agent listens, and in which version: `agent.json` in the folder that systemd made for it (RuntimeDirectory=) and
 * removes when it has ended. Without such a folder nothing is told.
 *
 * Throws `ResourceError` of kind `act`.
 */
export async function tellRunning(
  directory: string | undefined,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<void> {
  if (directory === undefined || directory === '') return
  const running: Running = { version: productVersion, pid: process.pid, address, port }
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  await replaceFile(join(directory, 'agent.json'), Buffer.from(`${JSON.stringify(running)}\n`), {
    mode: 0o644,
    ...owner,
  })
}
