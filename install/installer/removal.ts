import { join } from 'node:path'
import type { Logger } from 'pino'
import { HostFiles, statOf, unfinished } from './host-files.ts'
import { agentUnit, hostPaths, refuseForeignLinks } from './host-paths.ts'
import type { HostPrograms } from './host-programs.ts'
import { readRecord } from './record.ts'
import { AgentUnit } from './systemctl.ts'

export type RemovalOptions = {
  /** The host's root folder, as we see it. */
  readonly hostRoot: string
  readonly programs: HostPrograms
  readonly files?: HostFiles
  readonly logger: Logger
}

/**
 * Takes the agent away, and all that is its own: what it did to the host when it was asked to stays. Cut off anywhere, the next call goes on; where
 * nothing is left, nothing is done.
 *
 * @throws InstallerError; the reason of the signal
 */
export async function removeAgent(
  { hostRoot, programs, files = new HostFiles(), logger }: RemovalOptions,
  signal: AbortSignal,
): Promise<void> {
  await refuseForeignLinks(hostRoot)
  const paths = hostPaths(hostRoot)
  const unit = new AgentUnit(programs)
  const { madeOpt = false } = await readRecord(paths.record)
  const { loadState, activeState } = await unit.show(signal)
  const isThere = (await statOf(paths.unit)) !== undefined
  if (activeState !== 'inactive' && activeState !== 'failed') await unit.change('stop', signal)
  if (isThere && (await unit.isEnabled(signal))) await unit.setEnabled(false, signal)
  // systemd forgets a unit that failed only when it is told to.
  if (activeState === 'failed') await unit.change('reset-failed', signal)
  // Whoever removed the unit by hand has left its link.
  const link = join(hostRoot, 'etc/systemd/system/multi-user.target.wants', agentUnit)
  const own = [link, paths.unit, unfinished(paths.unit), paths.runtime, paths.programs, paths.settings]
  let removed = false
  const remove = async (path: string): Promise<void> => {
    if ((await statOf(path)) === undefined) return
    await files.remove(path)
    removed = true
  }
  for (const path of own) await remove(path)
  if (isThere || loadState !== 'not-found') await unit.reload(signal)
  if (madeOpt) await files.removeIfEmpty(join(hostRoot, 'opt'))
  // The last: it remembers what is left to do.
  await remove(paths.state)
  if (removed) logger.info('agent removed')
}
