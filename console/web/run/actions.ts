import type { HostRequest } from '@keelson/api'
import { isFinished } from './outcome.ts'

const actions = ['send', 'pause', 'resume', 'abort', 'retry', 'run', 'copy', 'delete'] as const
export type Action = (typeof actions)[number]

/** What may be done with a request as it is now; whether a person has the right, Kubernetes says. */
export function actionsOf(request: HostRequest): Action[] {
  const { metadata, spec, status } = request
  const finished = isFinished(request)
  const { failed = 0, unknown = 0 } = status?.counts ?? {}
  const possible: Readonly<Record<Action, boolean>> = {
    send: spec.dryRun && status?.state === 'SUCCESS' && finished,
    pause: !finished && !spec.suspend && !spec.dryRun && status?.state !== 'PAUSED',
    resume: !finished && (spec.suspend || status?.state === 'PAUSED'),
    // A run that has not begun would begin with the deadline that ends it.
    abort:
      !finished &&
      !spec.dryRun &&
      status?.run.startTime !== undefined &&
      status.observedGeneration === metadata.generation,
    retry: finished && !spec.dryRun && failed + unknown > 0,
    run: finished,
    copy: true,
    delete: true,
  }
  return actions.filter((action) => possible[action])
}
