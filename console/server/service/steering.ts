import type { HostRequest } from '@keelson/api'
import { ConflictError, type KubeClient, type ObjectName } from '@keelson/kube'
import {
  abortPatch,
  pausePatch,
  resumePatch,
  runAgainPatch,
  sendPatch,
  type RequestPatch,
} from '../../protocol/steering.ts'
import { hostRequestKind } from './kinds.ts'

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
export type Steer = (request: HostRequest) => RequestPatch

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
    const { spec, metadata } = steer(request)
    const version = resourceVersion ?? request.metadata.resourceVersion
    try {
      const patch = { metadata: { ...metadata, resourceVersion: version }, spec }
      return await client.patch(hostRequestKind, name, patch, {}, signal)
    } catch (error) {
      if (!(error instanceof ConflictError) || resourceVersion !== undefined || attempt === attempts) throw error
    }
  }
}

export const send: Steer = () => sendPatch

export const pause: Steer = (request) => {
  if (isFinished(request)) throw finished('there is nothing to pause')
  return pausePatch
}

export const resume: Steer = resumePatch

/** One that has not begun would begin with the deadline that ends it, so that is not aborted this way. */
export const abort: Steer = (request) => {
  const { metadata, status } = request
  if (isFinished(request)) throw finished('there is nothing to abort')
  if (status?.run.startTime === undefined || status.observedGeneration !== metadata.generation) {
    const message =
      'the operator has not begun this yet, or not seen the last change of it: pause or delete it, or try again in a moment'
    throw new SteerError('NotBegun', message)
  }
  return abortPatch(request)
}

export const runAgain: Steer = (request) => {
  requireFinished(request)
  const token = `${new Date().toISOString().replaceAll(/[-:]|[.]\d+/g, '')}-${crypto.randomUUID().slice(0, 8)}`
  return runAgainPatch(request, token)
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
