import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { errnoOf, fileError } from '../resource-error.ts'
import type { System } from '../system.ts'

const maxCommandLineBytes = 128 * 1024

/**
 * Process number of a kubelet that takes its Node's name from the host name, as it does without --hostname-override: give the host another
 * name, and at its next start it registers as another Node. `undefined`: there is none.
 */
export async function kubeletNamedByHost(system: System, signal: AbortSignal): Promise<number | undefined> {
  for (const entry of await processes(system)) {
    signal.throwIfAborted()
    // One that has ended in the meantime is of no interest any more.
    const commandLine = await system.read(`/proc/${entry}/cmdline`, maxCommandLineBytes).catch(() => undefined)
    const argv = commandLine?.toString().split('\0') ?? []
    if (isKubelet(argv) && !overridesHostname(argv)) return Number(entry)
  }
  return undefined
}

async function processes(system: System): Promise<readonly string[]> {
  try {
    return (await readdir(system.path('/proc'))).filter((entry) => /^[1-9][0-9]*$/.test(entry))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw fileError('/proc', error)
  }
}

function isKubelet([program = '', command]: readonly string[]): boolean {
  return basename(program) === 'kubelet' || (basename(program) === 'hyperkube' && command === 'kubelet')
}

function overridesHostname(argv: readonly string[]): boolean {
  const flag = '--hostname-override'
  return argv.some((argument, index) => {
    const value =
      argument === flag ? argv[index + 1] : argument.startsWith(`${flag}=`) ? argument.slice(flag.length + 1) : ''
    return value !== undefined && value !== ''
  })
}
