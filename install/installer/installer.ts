import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { judgeCertificate, type Owner } from '../verify.ts'
import { agentProblem, awaitAgent, type Patience } from './agent-health.ts'
import { HostFiles, statOf, targetOf, textOf } from './host-files.ts'
import { hostPaths, pathsOfAgent, refuseForeignLinks, type HostPaths } from './host-paths.ts'
import type { HostPrograms } from './host-programs.ts'
import { InstallerError } from './installer-error.ts'
import { readRecord, writeRecord, type InstallerRecord } from './record.ts'
import { FileDigests, intactRelease, layDown, readRelease, type Release } from './release.ts'
import { shownCertificate } from './shown-certificate.ts'
import { AgentUnit, type UnitState } from './systemctl.ts'

/** What the installer needs of the cluster. */
export type ClusterSide = {
  /** The roots by which agents are verified, PEM, and the uid of this Node, where the cluster tells it. @throws KubeError, EnrolmentError, InstallerError */
  readonly trust: (signal: AbortSignal) => Promise<{ readonly bundle: string; readonly nodeUid: string | undefined }>
  /** Puts a good certificate where the agent reads it, unless one is there; with `replace` a new one in any case. @throws KubeError, EnrolmentError */
  readonly enrol: (
    options: { readonly nodeUid: string | undefined; readonly folder: string; readonly replace: boolean },
    signal: AbortSignal,
  ) => Promise<'Enrolled' | 'Present'>
  /** The Node's uid by what is at hand without a call, and unverified: another one than before is a reason to ask. */
  readonly nodeUidAtHand?: () => Promise<string | undefined>
}

export type InstallerOptions = {
  /** The image's folder with the agent. */
  readonly image: string
  /** The host's root folder, as we see it. */
  readonly hostRoot: string
  /** Of the Host: that of the Node. */
  readonly name: string
  /** IP address of the host on which the agent is to listen. */
  readonly address: string
  readonly port: number
  readonly cluster: ClusterSide
  readonly programs: HostPrograms
  readonly files?: HostFiles
  /** How long an agent may take to come up, and has to stay up. */
  readonly patience?: Patience
  readonly now?: () => Date
  readonly logger: Logger
}

const defaultPatience: Patience = { timeoutMs: 40_000, steadyMs: 5_000, pollMs: 500 }
/** A version that failed is tried again after this: what it lacked may be there by then. */
const failedForMs = 3_600_000
/** The agent logs each such call, so not at every look. */
const looksBetweenCalls = 10
/** The agent shows no certificate. */
const silent = 'silent'

type Trust = { readonly bundle: string; readonly nodeUid: string | undefined }

/** Keeps the agent of one host as the image has it: what is missing or other than wanted is put right, and nothing else is touched. */
export class Installer {
  readonly #options: InstallerOptions
  readonly #paths: HostPaths
  readonly #files: HostFiles
  readonly #unit: AgentUnit
  readonly #digests = new FileDigests()
  readonly #patience: Patience
  #record: InstallerRecord = {}
  #trust: Trust | undefined
  #looksSinceCall = looksBetweenCalls
  /** What lay on disk was good, and yet the agent showed another one that is not. */
  #isStale = false

  constructor(options: InstallerOptions) {
    this.#options = options
    this.#paths = hostPaths(options.hostRoot)
    this.#files = options.files ?? new HostFiles()
    this.#unit = new AgentUnit(options.programs)
    this.#patience = options.patience ?? defaultPatience
  }

  /**
   * Compares the host with what is wanted and repairs it; resolves when the agent of the image is at work. Cut off anywhere, the next look goes on.
   *
   * @throws InstallerError, EnrolmentError, KubeError; the reason of the signal
   */
  async look(signal: AbortSignal): Promise<void> {
    await refuseForeignLinks(this.#options.hostRoot)
    const wanted = await readRelease(this.#options.image, this.#digests)
    this.#record = await readRecord(this.#paths.record)
    const { failed } = this.#record
    if (failed?.name === wanted.name && this.#isRecent(failed.at)) {
      const good = await this.#lastGood(wanted)
      if (good !== undefined) {
        await this.#settle(good, signal)
        throw upgradeFailed(wanted, good.release, failed.reason)
      }
    }
    try {
      await this.#settle({ release: wanted, config: this.#config(), isOlder: false }, signal)
    } catch (error) {
      if (!(error instanceof InstallerError && error.code === 'AgentNotUp')) throw error
      const good = await this.#lastGood(wanted)
      if (good === undefined) throw error
      await this.#goBack(wanted, good, error, signal)
    }
  }

  async #goBack(wanted: Release, good: Wish, cause: InstallerError, signal: AbortSignal): Promise<never> {
    const { logger, now = () => new Date() } = this.#options
    const reason = cause.message
    logger.error({ version: wanted.name, lastGood: good.release.name, reason }, 'upgrade failed, going back')
    await this.#remember({ started: undefined, failed: { name: wanted.name, at: now().toISOString(), reason } })
    try {
      await this.#settle(good, signal)
    } catch (error) {
      if (!(error instanceof InstallerError && error.code === 'AgentNotUp')) throw error
      throw upgradeFailed(wanted, good.release, `${reason}; and of the version before: ${error.message}`)
    }
    throw upgradeFailed(wanted, good.release, reason)
  }

  async #lastGood(wanted: Release): Promise<Wish | undefined> {
    const { good } = this.#record
    if (good === undefined || good.name === wanted.name) return undefined
    const release = await intactRelease(join(this.#paths.versions, good.name), this.#digests)
    return release === undefined ? undefined : { release, config: good.config, isOlder: true }
  }

  #isRecent(at: string): boolean {
    const { now = () => new Date() } = this.#options
    const age = now().getTime() - Date.parse(at)
    return age >= 0 && age < failedForMs
  }

  #config(): string {
    const { name, address, port } = this.#options
    const { certificates: tls, state } = pathsOfAgent
    return `${JSON.stringify({ name, address, port, tls, state, requireOrder: true }, null, 2)}\n`
  }

  /** Everything as it is wished, and the agent at work. */
  async #settle(wish: Wish, signal: AbortSignal): Promise<void> {
    const { release } = wish
    // What cannot be judged afterwards is not begun; what is there is repaired all the same.
    const mayGoOn = this.#record.good?.name === release.name
    await this.#forgetFormerNode()
    let fault: unknown
    const unlessNew = (error: unknown): void => {
      if (!mayGoOn || signal.aborted) throw error
      fault ??= error
    }
    await this.#knownTrust(signal).catch(unlessNew)
    await this.#layDown(release)
    if (fault === undefined) await this.#certify(release, signal).catch(unlessNew)
    // The host may be cut off in between: then the newer agent has the settings of the older one, which it knows, and never the other way round.
    const steps = [async () => this.#switchTo(release), async () => this.#writeSettings(wish)]
    for (const step of wish.isOlder ? steps.toReversed() : steps) await step()
    await this.#run(release, signal)
    if (fault !== undefined) throw fault
    const problem = await this.#problemOf(release, signal)
    if (problem !== undefined) throw new InstallerError('AgentNotUp', notUp(release, problem))
    await this.#confirm(wish)
  }

  async #layDown(release: Release): Promise<void> {
    const { root, programs, versions } = this.#paths
    const files = this.#files
    const folder = join(versions, release.name)
    if ((await intactRelease(folder, this.#digests)) !== undefined) return
    await this.#beforeChange()
    const parent = join(root, 'opt')
    if ((await statOf(parent)) === undefined) {
      await this.#remember({ madeOpt: true })
      await files.makeFolder(parent, 0o755)
    }
    for (const each of [programs, versions]) await files.makeFolder(each, 0o755)
    await layDown(release, folder, files, this.#digests)
    this.#changed('version', release.name)
  }

  async #writeSettings({ release, config }: Wish): Promise<void> {
    const { settings, unit } = this.#paths
    if ((await textOf(this.#paths.config)) !== config) {
      await this.#beforeChange()
      await this.#files.makeFolder(settings, 0o755)
      await this.#files.replace(this.#paths.config, config, 0o644)
      this.#changed('settings', release.name)
    }
    if ((await textOf(unit)) !== release.unit) {
      await this.#beforeChange()
      await this.#files.replace(unit, release.unit, 0o644)
      this.#changed('unit', release.name)
    }
  }

  /** The agent gets a certificate that the operator accepts: what it shows counts, and what lies on disk where it shows none. */
  async #certify(release: Release, signal: AbortSignal): Promise<void> {
    const { certificates: folder } = this.#paths
    const runs = this.#record.started === release.name
    const isThere = (await statOf(join(folder, 'tls.crt'))) !== undefined
    if (isThere && runs && this.#looksSinceCall < looksBetweenCalls) return
    const refusal = isThere ? await this.#refusalOfShown(signal) : silent
    if (refusal === undefined) {
      if (runs) this.#looksSinceCall = 0
      return
    }
    const { nodeUid } = await this.#knownTrust(signal)
    const outcome = await this.#options.cluster.enrol({ nodeUid, folder, replace: this.#isStale }, signal)
    if (outcome === 'Present' && refusal === silent) return
    this.#isStale = outcome === 'Present' && runs
    await this.#beforeChange()
    this.#changed('certificate', release.name)
  }

  /** Why the operator would not take the certificate that the agent shows; {@link silent} where it shows none, undefined where it is good. */
  async #refusalOfShown(signal: AbortSignal): Promise<string | undefined> {
    const { name, address, port, now = () => new Date() } = this.#options
    const shown = await shownCertificate({ name, address, port }, signal)
    if (!shown.answered) return silent
    const judge = ({ bundle, nodeUid }: Trust): string | undefined => {
      const owner: Owner = { name, nodeUid }
      try {
        judgeCertificate(shown.certificate, bundle, owner, now())
        return undefined
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    }
    if (judge(await this.#knownTrust(signal)) === undefined) return undefined
    // The roots may be others by now.
    this.#trust = undefined
    return judge(await this.#knownTrust(signal))
  }

  /** Whoever deletes a Node and starts its kubelet again has another Node, while our Pod may live on: the operator takes no certificate of the former. */
  async #forgetFormerNode(): Promise<void> {
    const uid = await this.#options.cluster.nodeUidAtHand?.()
    if (uid === undefined || this.#trust?.nodeUid === undefined || uid === this.#trust.nodeUid) return
    this.#trust = undefined
    this.#looksSinceCall = looksBetweenCalls
  }

  async #knownTrust(signal: AbortSignal): Promise<Trust> {
    this.#trust ??= await this.#options.cluster.trust(signal)
    return this.#trust
  }

  async #switchTo(release: Release): Promise<void> {
    const { current } = this.#paths
    const target = `versions/${release.name}`
    if ((await targetOf(current)) === target) return
    await this.#beforeChange()
    if ((await statOf(current))?.isDirectory() === true) await this.#files.remove(current)
    await this.#files.link(current, target)
    this.#changed('current', release.name)
  }

  async #run(release: Release, signal: AbortSignal): Promise<void> {
    const unit = this.#unit
    const enabled = await unit.isEnabled(signal)
    if (!enabled) {
      await unit.setEnabled(true, signal)
      this.#changed('enabled', release.name)
    }
    const { loadState, needsReload, activeState }: UnitState = await unit.show(signal)
    if (!enabled || needsReload || loadState !== 'loaded') await unit.reload(signal)
    if (this.#record.started !== release.name) {
      await this.#begin('restart', signal)
      await this.#remember({ started: release.name })
      this.#changed('restart', release.name)
    } else if (activeState === 'inactive' || activeState === 'failed') {
      await this.#begin('start', signal)
      this.#looksSinceCall = looksBetweenCalls
      this.#changed('start', release.name)
    }
  }

  /** One that fails is told by what becomes of the agent. */
  async #begin(verb: 'start' | 'restart', signal: AbortSignal): Promise<void> {
    await this.#unit.change(verb, signal).catch((error: unknown) => {
      if (!(error instanceof InstallerError)) throw error
      this.#options.logger.warn({ code: error.code, reason: error.message }, 'agent not started')
    })
  }

  async #problemOf(release: Release, signal: AbortSignal): Promise<string | undefined> {
    const options = { unit: this.#unit, running: this.#paths.running, version: release.version }
    const isNew = this.#record.good?.name !== release.name || this.#looksSinceCall >= looksBetweenCalls
    if (!isNew && (await agentProblem(options, signal)) === undefined) {
      this.#looksSinceCall += 1
      return undefined
    }
    const problem = await awaitAgent(options, this.#patience, signal)
    if (problem !== undefined) {
      // Whatever it is stuck in, the next look starts it anew.
      await this.#beforeChange()
      return problem
    }
    const refusal = await this.#refusalOfShown(signal)
    if (refusal === undefined) this.#looksSinceCall = 0
    const { address, port } = this.#options
    return refusal === silent ? `it does not answer at ${address}, port ${port}` : refusal
  }

  /** It is well: what is not needed any more goes. */
  async #confirm({ release, config }: Wish): Promise<void> {
    const { good, failed } = this.#record
    if (good?.name !== release.name)
      await this.#remember({ good: { name: release.name, config }, previous: good?.name, failed: undefined })
    else if (good.config !== config || failed?.name === release.name)
      await this.#remember({ good: { name: release.name, config }, failed: undefined })
    const kept = new Set([release.name, this.#record.previous])
    for (const name of (await readdir(this.#paths.versions)).toSorted())
      if (!kept.has(name)) {
        await this.#files.remove(join(this.#paths.versions, name))
        this.#changed('removed', name)
      }
  }

  /** To be called before anything changes that the agent reads when it starts: from here on it is known that it has to be started anew. */
  async #beforeChange(): Promise<void> {
    this.#looksSinceCall = looksBetweenCalls
    if (this.#record.started !== undefined) await this.#remember({ started: undefined })
  }

  async #remember(changes: Partial<InstallerRecord>): Promise<void> {
    this.#record = { ...this.#record, ...changes }
    await writeRecord(this.#paths.record, this.#record, this.#files)
  }

  #changed(what: string, version: string): void {
    this.#options.logger.info({ what, version }, 'host changed')
  }
}

/** What the agent is to be; `isOlder` than what may be there. */
type Wish = { readonly release: Release; readonly config: string; readonly isOlder: boolean }

function notUp({ name }: Release, problem: string): string {
  return `the agent ${name} is installed and not at work: ${problem}; on the host, journalctl --unit=keelson-agent says more`
}

function upgradeFailed(wanted: Release, good: Release, reason: string): InstallerError {
  return new InstallerError(
    'AgentUpgradeFailed',
    `${wanted.name} did not come up, so ${good.name} is in its place, until the image changes or an hour is over: ${reason}`,
  )
}
