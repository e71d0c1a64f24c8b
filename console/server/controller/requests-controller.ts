import { group, type HostRequest } from '@keelson/api'
import {
  abortRequest,
  createRequest,
  deleteRequest,
  getRequest,
  listTargets,
  pauseRequest,
  resumeRequest,
  retryFailed,
  runAgain,
  sendRequest,
} from '../../protocol/requests.ts'
import { retryOfAnnotation, retrySpec } from '../../protocol/steering.ts'
import type { Gate } from '../service/gate.ts'
import { hostRequestKind } from '../service/kinds.ts'
import type { LiveStore } from '../service/live/live-store.ts'
import type { PersonClients } from '../service/person-clients.ts'
import { readTargets, TargetsLostError, targetsWith } from '../service/run-targets.ts'
import * as steering from '../service/steering.ts'
import { SteerError } from '../service/steering.ts'
import { ProblemError } from './problem-error.ts'
import type { Controller } from './serve.ts'

export interface RequestsDependencies {
  readonly people: PersonClients
  readonly gate: Gate
  readonly store: LiveStore
}

/** As many as `workers` takes. */
const maxWorkers = 1_024

/** Everything here is done with the token of whoever asks: Kubernetes decides. */
export function requestsController({ people, gate, store }: RequestsDependencies): Controller {
  const targetsOf = async (account: string, request: HostRequest, signal: AbortSignal) => {
    const mayList = () => gate.allows(account, { verb: 'list', group, resource: 'hosts' }, signal)
    const hosts = async () => ((await mayList()) ? store.hostRows() : [])
    return told(readTargets(request, { client: people.for(account), hosts }, signal))
  }

  return (serve) => {
    serve(getRequest, async ({ caller, params, signal }) =>
      people.for(caller.name).get(hostRequestKind, params, signal),
    )

    serve(listTargets, async ({ caller, params, signal }) => {
      const request = await people.for(caller.name).get(hostRequestKind, params, signal)
      const names = await targetsOf(caller.name, request, signal)
      return { runId: request.status?.run.id ?? '', names: [...names] }
    })

    serve(createRequest, async ({ caller, query, body, signal }) => {
      const { namespace, name, spec } = body
      const dryRun = query.check === 'true'
      return people
        .for(caller.name)
        .create(hostRequestKind, { metadata: { namespace, name }, spec }, { dryRun }, signal)
    })

    for (const [route, steer] of [
      [sendRequest, steering.send],
      [pauseRequest, steering.pause],
      [resumeRequest, steering.resume],
      [abortRequest, steering.abort],
      [runAgain, steering.runAgain],
    ] as const) {
      serve(route, async ({ caller, params, body, signal }) =>
        told(steering.steerRequest(people.for(caller.name), params, steer, body.resourceVersion, signal)),
      )
    }

    serve(retryFailed, async ({ caller, params, body, signal, audit }) => {
      const client = people.for(caller.name)
      const request = await client.get(hostRequestKind, params, signal)
      await told(Promise.try(() => steering.requireFinished(request)))
      const targets = await targetsOf(caller.name, request, signal)
      const again = targetsWith(body.includeUnknown ? ['failed', 'unknown'] : ['failed'], request, targets)
      audit.object(`hostrequests/${params.namespace}/${body.name}`)
      audit.detail({ retryOf: params.name, includeUnknown: body.includeUnknown, hosts: again.length })
      const metadata = {
        namespace: params.namespace,
        name: body.name,
        annotations: { [retryOfAnnotation]: params.name },
      }
      return client.create(hostRequestKind, { metadata, spec: specFor(request, again) }, {}, signal)
    })

    serve(deleteRequest, async ({ caller, params, signal }) =>
      people.for(caller.name).delete(hostRequestKind, params, {}, signal),
    )
  }
}

async function told<T>(act: Promise<T>): Promise<T> {
  return act.catch((error: unknown) => {
    const { code, message } = error as { code: string; message: string }
    if (error instanceof SteerError) throw new ProblemError(409, { code, message, cause: error })
    if (error instanceof TargetsLostError) throw new ProblemError(404, { code, message, cause: error })
    throw error
  })
}

function specFor(request: HostRequest, names: readonly string[]): HostRequest['spec'] {
  if (names.length === 0)
    throw new ProblemError(422, { code: 'NothingToRetry', message: 'no host of the last run is to be tried again' })
  if (names.length > maxWorkers) {
    const message = `${names.length} hosts are to be tried again, and a request names ${maxWorkers} at most: run the whole request again, or make one with a selector`
    throw new ProblemError(422, { code: 'TooManyToRetry', message })
  }
  return retrySpec(request, names)
}
