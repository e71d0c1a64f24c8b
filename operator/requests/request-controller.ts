import { HostRequestSpec, IndexSet, type Host, type HostRequest, type HostRequestStatus } from '@keelson/api'
import { nameOf, NotFoundError, type KubeClient, type Leadership, type ReadonlyStore } from '@keelson/kube'
import type { Logger } from 'pino'
import type { PolicyGate } from '../authorisation/policy-gate.ts'
import { timestamp } from '../conditions.ts'
import type { HostPools } from '../delivery/host-pools.ts'
import type { WriteOrder } from '../delivery/write-order.ts'
import type { RefuseAddress } from '../hosts/host-addresses.ts'
import { hostRequestKind } from '../kinds.ts'
import type { OperatorMetrics } from '../metrics/operator-metrics.ts'
import { digestOf } from '../runs/frozen-targets.ts'
import { beginning } from '../runs/run-record.ts'
import { planOf, type Plan } from './begin.ts'
import { dryRunStatus } from './dry-run.ts'
import { lifeLeft } from './life.ts'
import { answerText } from './answer-text.ts'
import { keepTargets, readTargets, TargetsLostError, TooManyTargetsError } from './frozen-config-map.ts'
import { historyFor } from './history.ts'
import { pauseLeft } from './pause.ts'
import {
  brokenStatus,
  heldUpStatus,
  isFinal,
  isHeldUp,
  observedAt,
  refusedStatus,
  runStatus,
  suspendedStatus,
  type StatusContext,
} from './request-status.ts'
import { runIdentityOf, runIdOf } from './run-identity.ts'
import type { RunReporter } from './run-reporter.ts'
import { Run } from './run.ts'
import { keepsAnswers } from './run-policy.ts'
import { sender } from './sender.ts'
import { isOnline } from './targets.ts'
import { nothingTold } from './told.ts'
import { names as listed, type Refusal } from './verdict.ts'
import { readParameters, SecretError, secretNames, type RequestParameters } from '../secrets/request-parameters.ts'

export type RequestControllerOptions = {
  readonly client: KubeClient
  /** All that is written and sent is of this term. */
  readonly leadership: Leadership
  readonly policy: Pick<PolicyGate, 'fault' | 'refusalOf'>
  /** Of what is sent to agents in this term. */
  readonly order: WriteOrder
  /** Told of a record that a leader of a higher epoch wrote; nothing is done with it. */
  readonly onOutranked: (epoch: number) => void
  /** How long deliveries under way may go on when the term ends in good order, in milliseconds. */
  readonly drainMs: number
  /** Hosts come from the inventory, never from a request. */
  readonly hosts: ReadonlyStore<Host>
  readonly pools: HostPools
  readonly refuseAddress: RefuseAddress
  /** Asks for the key to be looked at again, after so many milliseconds. */
  readonly requeue: (key: string, afterMs: number) => void
  readonly now: () => Date
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly reporter: RunReporter
  readonly metrics: Pick<OperatorMetrics, 'add' | 'observe'>
  readonly logger: Logger
}

const noTargets = { names: [], digest: digestOf([]) }

const maxRequeueMs = 3_600_000

type Prepared = Extract<Plan, { readonly refused?: undefined }>

/**
 * Carries HostRequests out, each wish once.
 *
 * A run is written down with its targets, with a precondition on what was read, before its first byte is sent; from then on its record in
 * the status is all that is needed to carry it on, by this operator or the next.
 */
export class RequestController {
  readonly #options: RequestControllerOptions
  readonly #runs = new Map<string, Run>()
  #stopped = false

  constructor(options: RequestControllerOptions) {
    this.#options = options
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    // Read from the server, not from a cache: a cache that lags behind our own write would start a finished run again.
    const request = await this.#read(key, signal)
    const present = request?.metadata.deletionTimestamp === undefined ? request : undefined
    const run = this.#runs.get(key)
    if (run !== undefined && present !== undefined && run.id === runIdOf(present)) {
      if (this.#options.policy.fault() === undefined) {
        run.steer(present)
        return
      }
      await run.rest()
      if (this.#runs.get(key) === run) this.#runs.delete(key)
      // Another look shows the request as it is by now, and that it is held up.
      this.#options.requeue(key, 0)
      return
    }
    if (run !== undefined) {
      await run.abort()
      this.#runs.delete(key)
      this.#options.reporter.endedEarly({ key, run: run.id })
    }
    if (present !== undefined && !this.#stopped) await this.#see(key, present, signal)
  }

  /**
   * Resolves when the signal is aborted and nothing is in flight: at once where the lease is lost, else after what is known was written down. The
   * records tell the next operator how to go on.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#stopped = true
    const held = this.#options.leadership.isHeld()
    await Promise.all([...this.#runs.values()].map((run) => (held ? run.rest() : run.abort())))
  }

  async #read(key: string, signal: AbortSignal): Promise<HostRequest | undefined> {
    try {
      return await this.#options.client.get(hostRequestKind, nameOf(key), signal)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }

  /** What is to be done about a request that nobody is carrying out. */
  async #see(key: string, request: HostRequest, signal: AbortSignal): Promise<void> {
    const { status } = request
    const isSame = status?.run.id === runIdOf(request)
    if (isSame && isFinal(status.state)) await this.#afterEnd(key, request, status, signal)
    else if (isSame && status.run.startTime !== undefined) await this.#carryOn(key, request, status, signal)
    else if (!request.spec.suspend) await this.#begin(key, request, signal)
    else if (!isSame || status.observedGeneration !== request.metadata.generation)
      await this.#write(request, suspendedStatus(this.#context(request, noTargets)), signal)
  }

  /** A run that has ended is about each later generation that only steers it, and goes when its time has come. */
  async #afterEnd(key: string, request: HostRequest, status: HostRequestStatus, signal: AbortSignal): Promise<void> {
    const { metadata, spec } = request
    const { generation = 0, uid, resourceVersion } = metadata
    const lifeMs = lifeLeft(spec, status, this.#options.now())
    if (lifeMs !== undefined && lifeMs <= 0) {
      // Whatever is changed meanwhile, be it the time to live, is looked at first.
      await this.#options.client.delete(hostRequestKind, metadata, { preconditions: { uid, resourceVersion } }, signal)
      this.#options.logger.info({ key, run: status.run.id }, 'request deleted: its time after the end is over')
      return
    }
    if (status.observedGeneration !== generation) await this.#write(request, observedAt(status, generation), signal)
    if (lifeMs !== undefined) this.#lookAgain(key, lifeMs)
  }

  async #carryOn(key: string, request: HostRequest, status: HostRequestStatus, signal: AbortSignal): Promise<void> {
    const { leadership, policy, onOutranked } = this.#options
    if (status.run.epoch > leadership.epoch) {
      onOutranked(status.run.epoch)
      return
    }
    const fault = policy.fault()
    if (fault !== undefined) {
      await this.#holdUp(key, request, status, fault, signal)
      return
    }
    const names = await readTargets(this.#options.client, request, status.run.targets, signal).catch(
      (error: unknown) => {
        if (error instanceof TargetsLostError) return error
        throw error
      },
    )
    if (names instanceof TargetsLostError) {
      // Nobody knows any more whom its numbers mean.
      await this.#breakOff(key, request, status, { reason: names.code, msg: names.message }, signal)
      return
    }
    const spec = HostRequestSpec.parse(request.spec)
    const rest = pauseLeft(request, status, { spec, names, id: status.run.id }, this.#options.now())
    if (rest !== undefined) {
      this.#lookAgain(key, rest)
      return
    }
    const parameters = await this.#parameters(request, spec, signal)
    if (parameters instanceof SecretError) {
      await this.#breakOff(key, request, status, parameters, signal)
    } else if (parameters.secrets?.digest !== status.run.secretsDigest) {
      // Some hosts have got the former value: one run sends the same to all, and agents would refuse another one under its keys.
      const which = listed(secretNames(spec.http))
      const msg = `a Secret has been written since the run began (${which}); change runToken to send what it holds now`
      await this.#breakOff(key, request, status, { reason: 'SecretChanged', msg }, signal)
    } else {
      this.#start(key, request, spec, names, parameters)
    }
  }

  /** Ends a run that has begun and that nobody can carry on. */
  async #breakOff(
    key: string,
    request: HostRequest,
    status: HostRequestStatus,
    { reason, msg }: Refusal,
    signal: AbortSignal,
  ): Promise<void> {
    const why = { reason, msg: `${msg}; ${status.progress} hosts answered` }
    await this.#write(request, brokenStatus(status, why, this.#context(request, status.run.targets)), signal)
    this.#options.reporter.ended({ key, request, run: status.run.id }, { state: 'ERROR', ...why })
  }

  /** With what their Secrets hold now; why there are none is a value. */
  async #parameters(
    request: HostRequest,
    { http }: HostRequestSpec,
    signal: AbortSignal,
  ): Promise<RequestParameters | SecretError> {
    return readParameters(this.#options.client, request, http, signal).catch((error: unknown) => {
      if (error instanceof SecretError) return error
      throw error
    })
  }

  /** A timer may fire a little early, and clocks are set: so it is looked at, not relied on. */
  #lookAgain(key: string, afterMs: number): void {
    this.#options.requeue(key, Math.min(afterMs + 100, maxRequeueMs))
  }

  async #begin(key: string, request: HostRequest, signal: AbortSignal): Promise<void> {
    const unauthorised = await this.#options.policy.refusalOf(request, signal)
    if (unauthorised !== undefined) {
      const { reason, msg } = unauthorised
      await this.#refuse(key, request, { reason, msg: `${msg}; nothing was sent` }, signal)
      return
    }
    const plan = planOf(request.spec, this.#options.hosts.list())
    if (plan.refused !== undefined) {
      await this.#refuse(key, request, plan.refused, signal)
      return
    }
    const parameters = await this.#parameters(request, plan.spec, signal)
    if (parameters instanceof SecretError) {
      const { reason, msg } = parameters
      await this.#refuse(key, request, { reason, msg: `${msg}; nothing was sent` }, signal)
      return
    }
    try {
      const prepared = await this.#prepare(request, plan, parameters.secrets?.digest, signal)
      if (plan.spec.dryRun) this.#options.logger.info({ key, run: prepared.status?.run.id }, 'dry run told')
      else this.#start(key, prepared, plan.spec, plan.targets.names, parameters)
    } catch (error) {
      if (!(error instanceof TooManyTargetsError)) throw error
      await this.#refuse(key, request, { reason: error.code, msg: `${error.message}; nothing was sent` }, signal)
    }
  }

  /** Tells that a run which has begun is held up for want of the policy. */
  async #holdUp(
    key: string,
    request: HostRequest,
    status: HostRequestStatus,
    fault: Refusal,
    signal: AbortSignal,
  ): Promise<void> {
    if (isHeldUp(status)) return
    const why = { ...fault, msg: `${fault.msg}, and the run goes on by itself; ${status.progress} hosts answered` }
    await this.#write(request, heldUpStatus(status, why, this.#context(request, status.run.targets)), signal)
    this.#options.reporter.heldUp({ key, request, run: status.run.id }, why)
  }

  /** Writes the run down, before anything is sent; of a dry run, what would be sent to whom. */
  async #prepare(
    request: HostRequest,
    { spec, targets }: Prepared,
    secretsDigest: string | undefined,
    signal: AbortSignal,
  ): Promise<HostRequest> {
    const { client, hosts, leadership } = this.#options
    const { names, notTargeted } = targets
    const isOffline = (name: string) => spec.onOffline === 'Skip' && !isOnline(hosts.get(name)!)
    const missed = new Set([...notTargeted, ...(spec.dryRun ? names.filter(isOffline) : [])])
    const skipped = IndexSet.of(names.keys().filter((index) => missed.has(names[index]!)))
    const view = {
      names,
      record: { ...beginning, epoch: leadership.epoch, skipped },
      ...{ details: new Map(), answers: new Map(), told: nothingTold },
      notTargeted: new Set(notTargeted),
    }
    const { run, ...about } = this.#context(request, await keepTargets(client, request, names, signal))
    const context = { ...about, run: { ...run, ...(secretsDigest === undefined ? {} : { secretsDigest }) } }
    return this.#write(request, spec.dryRun ? dryRunStatus(spec, view, context) : runStatus(view, context), signal)
  }

  #start(
    key: string,
    request: HostRequest,
    spec: HostRequestSpec,
    names: readonly string[],
    parameters: RequestParameters,
  ): void {
    if (this.#stopped) return
    const { pools, order, refuseAddress, random, requeue, reporter } = this.#options
    const ports = { pools, order, random, refuseAddress }
    const show = (body: Uint8Array) => answerText(body, parameters.secrets?.redact)
    const deliver = sender(spec, ports, parameters, keepsAnswers(spec) ? show : undefined)
    const run = new Run({ ...this.#options, request, spec, names, deliver })
    const subject = { key, request, run: run.id }
    this.#runs.set(key, run)
    reporter.begun(subject, names.length)
    run.end.then(
      (end) => {
        if (this.#runs.get(key) === run) this.#runs.delete(key)
        if (end.kind === 'finished') reporter.ended(subject, run.verdict(end))
        else if (end.kind === 'paused') reporter.paused(subject, run.verdict(end))
        else if (end.kind === 'resting') reporter.rests(subject)
        // Its spec may have changed since it was last asked.
        requeue(key, 0)
      },
      (error: unknown) => {
        if (run.aborted) return
        this.#runs.delete(key)
        reporter.failed(subject, error)
        requeue(key, 1_000)
      },
    )
  }

  /** Ends a run of which nothing is sent. */
  async #refuse(key: string, request: HostRequest, refusal: Refusal, signal: AbortSignal): Promise<void> {
    const status = refusedStatus(refusal, this.#context(request, noTargets))
    await this.#write(request, status, signal)
    this.#options.reporter.refused({ key, request, run: status.run.id }, refusal)
  }

  #write({ metadata }: HostRequest, status: HostRequestStatus, signal: AbortSignal): Promise<HostRequest> {
    return this.#options.client.updateStatus(hostRequestKind, { metadata, status }, {}, signal)
  }

  #context(request: HostRequest, targets: StatusContext['run']['targets']): StatusContext {
    const now = timestamp(this.#options.now())
    const { metadata, status } = request
    const identity = runIdentityOf(request)
    return {
      generation: metadata.generation ?? 0,
      run: { ...identity, startTime: now, targets },
      ...{ present: status?.conditions, history: historyFor(identity.id, status, now) },
      now,
    }
  }
}
