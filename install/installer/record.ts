import { dirname } from 'node:path'
import { textOf, type HostFiles } from './host-files.ts'

/** What the installer remembers on the host. Without it nothing is lost but the way back to the last good version. */
export type InstallerRecord = {
  /** Release with which the agent was started after everything that it reads at its start was in place. Absent from before the first such change until after that start. */
  readonly started?: string | undefined
  /** Release that was seen at work, and its settings file. */
  readonly good?: { readonly name: string; readonly config: string } | undefined
  /** The good one before that. */
  readonly previous?: string | undefined
  /** Release that did not come up. */
  readonly failed?: { readonly name: string; readonly at: string; readonly reason: string } | undefined
  /** There was no /opt before. */
  readonly madeOpt?: boolean | undefined
}

/** One that is damaged counts as none. */
export async function readRecord(path: string): Promise<InstallerRecord> {
  try {
    const parsed: unknown = JSON.parse((await textOf(path)) ?? '{}')
    return isRecord(parsed) ? parsed : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

export async function writeRecord(path: string, record: InstallerRecord, host: HostFiles): Promise<void> {
  const { started, good, previous, failed, madeOpt } = record
  const text = `${JSON.stringify({ started, good, previous, failed, madeOpt }, null, 2)}\n`
  if ((await textOf(path)) === text) return
  await host.makeFolder(dirname(path), 0o700)
  await host.replace(path, text, 0o600)
}

function isRecord(value: unknown): value is InstallerRecord {
  if (typeof value !== 'object' || value === null) return false
  const { started, good, previous, failed } = value as Record<string, unknown>
  const isText = (each: unknown): boolean => each === undefined || typeof each === 'string'
  const has = (each: unknown, ...keys: readonly string[]): boolean =>
    each === undefined ||
    (typeof each === 'object' &&
      each !== null &&
      keys.every((key) => typeof (each as Record<string, unknown>)[key] === 'string'))
  return isText(started) && isText(previous) && has(good, 'name', 'config') && has(failed, 'name', 'at', 'reason')
}
