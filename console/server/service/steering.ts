import type { HostRequest } from '@keelson/api'
import { ConflictError, type KubeClient, type ObjectName } from '@keelson/kube'
import { hostRequestKind } from './kinds.ts'

/** What is to become of a request, as a merge patch. */
interface Change {
  readonly spec: Readonly<Record<string, unknown>>
  readonly annotations?: Readonly<Record<string, string | null>>
}

/** The run is not where this could be done with it. */
export class SteerError extends Error {
  readonly code: 'NotBegun' | 'RunFinished' | 'RunNotFinished'

  constructor(code: SteerError['code'], message: string) {
    super(message)
    this.name = 'SteerError'
    this.code = code
  }
}

/** What is changed depends on what is there. @throws SteerError where it cannot be done with that */
export type Steer = (request: HostRequest) => Change

/** Remembers the deadline that abort has put away, for the next run. */
const deadlineAnnotation = 'keelson.dev/deadline-before-abort'

/** The operator writes once a second at most, so one is nearly always enough. */
const attempts = 8

/**
 * Reads a request, decides and writes, with the rights of `client`. What was read is what is changed: with `resourceVersion` only that version, else whatever it
 * is by now; the operator writes its status meanwhile.
 *
 * @throws ConflictError where it is not that version any more, and SteerError
 */
export async function steerRequest(
  client: KubeClient,
  name: ObjectName,
  steer: Steer,
  resourceVersion: string | undefined,
  signal: AbortSignal,
): Promise<HostRequest> {
  for (let attempt = 1; ; attempt++) {
    const request = await client.get(hostRequestKind, name, signal)
    const { spec, annotations } = steer(request)
    const version = resourceVersion ?? request.metadata.resourceVersion
    const metadata = { resourceVersion: version, ...(annotations === undefined ? {} : { annotations }) }
    try {
      return await client.patch(hostRequestKind, name, { metadata, spec }, {}, signal)
    } catch (error) {
      if (!(error instanceof ConflictError) || resourceVersion !== undefined || attempt === attempts) throw error
    }
  }
}

export const send: Steer = () => ({ spec: { dryRun: false } })

export const pause: Steer = (request) => {
  if (isFinished(request)) throw finished('there is nothing to pause')
  return { spec: { suspend: true } }
}

/** What waits for an answer after a failure gets it: go on. */
export const resume: Steer = ({ status }) => {
  const stalled = status?.conditions.find(({ type }) => type === 'Stalled')
  const reason = status?.state === 'PAUSED' && stalled?.status === 'True' ? stalled.reason : ''
  const spec = { suspend: false }
  if (reason === 'WaveFailed') return { spec: { ...spec, onFailure: 'Continue' } }
  // Without Pause the run would end over them instead.
  if (reason === 'TooManyFailures') return { spec: { ...spec, onFailure: 'Continue', maxFailures: '100%' } }
  return { spec }
}

/** A deadline that is over ends a run. One that has not begun would begin with it, so that is not aborted this way. */
export const abort: Steer = (request) => {
  const { metadata, spec, status } = request
  if (isFinished(request)) throw finished('there is nothing to abort')
  if (status?.run.startTime === undefined || status.observedGeneration !== metadata.generation) {
    const message =
      'the operator has not begun this yet, or not seen the last change of it: pause or delete it, or try again in a moment'
    throw new SteerError('NotBegun', message)
  }
  const deadline = metadata.annotations?.[deadlineAnnotation] ?? String(spec.activeDeadlineSeconds)
  return { spec: { activeDeadlineSeconds: 1, suspend: false }, annotations: { [deadlineAnnotation]: deadline } }
}

export const runAgain: Steer = (request) => {
  requireFinished(request)
  const runToken = `${new Date().toISOString().replaceAll(/[-:]|[.]\d+/g, '')}-${crypto.randomUUID().slice(0, 8)}`
  const annotations = { [deadlineAnnotation]: null }
  return { spec: { runToken, suspend: false, activeDeadlineSeconds: deadlineOf(request) }, annotations }
}

/** As it was before the request was aborted. */
export function deadlineOf({ metadata, spec }: HostRequest): number {
  const before = Number(metadata.annotations?.[deadlineAnnotation] ?? Number.NaN)
  return Number.isInteger(before) && before >= 1 && before <= 604_800 ? before : spec.activeDeadlineSeconds
}

/** The run that the spec asks for has ended. */
function isFinished({ metadata, status }: HostRequest): boolean {
  const is = status?.conditions.some(({ type, status: holds }) => type === 'Finished' && holds === 'True')
  return is === true && status?.observedGeneration === metadata.generation
}

export function requireFinished(request: HostRequest): void {
  if (!isFinished(request))
    throw new SteerError('RunNotFinished', 'the run has not ended: wait for its end, or abort it')
}

function finished(consequence: string): SteerError {
  return new SteerError('RunFinished', `the run has ended: ${consequence}`)
}
