import { mkdir, readdir, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { processStart } from '../process-start.ts'

/** What a running demo leaves in the tree for other terminals. */
export const demoDirectory = process.env['KEELSON_DEMO_DIRECTORY'] || resolve(import.meta.dirname, '../../.demo')

export const demoKubeconfig = join(demoDirectory, 'kubeconfig')

export type DemoState = {
  /** The process that holds the demo up, and when it started: a pid alone may be somebody else's by now. */
  readonly starter: number
  readonly started: string
  /** First process of the capsule, as the machine sees it. */
  readonly firstProcess: number
}

const stateFile = join(demoDirectory, 'state.json')

/** The demo that is up in this tree, if there is one; the remains of a killed one do not count. */
export async function runningDemo(): Promise<DemoState | undefined> {
  const text = await readFile(stateFile, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const state = JSON.parse(text) as DemoState
  return processStart(state.starter) === state.started ? state : undefined
}

export async function announceDemo(firstProcess: number, kubeconfig: string, binaries: string): Promise<void> {
  await removeDemo()
  await mkdir(join(demoDirectory, 'bin'), { recursive: true, mode: 0o700 })
  await symlink(join(binaries, 'kubectl'), join(demoDirectory, 'bin/kubectl'))
  await writeFile(demoKubeconfig, kubeconfig, { mode: 0o600 })
  const state: DemoState = { starter: process.pid, started: processStart('self') ?? '', firstProcess }
  await writeFile(stateFile, JSON.stringify(state))
}

export async function removeDemo(): Promise<void> {
  for (const entry of await readdir(demoDirectory).catch(() => []))
    await rm(join(demoDirectory, entry), { recursive: true, force: true })
  await rmdir(demoDirectory).catch(() => {})
}
