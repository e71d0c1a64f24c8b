import { IndexSet, type HostRequestSpec, type HostRequestStatus } from '@keelson/api'
import { boundedText } from '../bounded-text.ts'
import { messageOf } from '../delivery/message.ts'
import { statusOf, type StatusContext } from './request-status.ts'
import type { RunView } from './run-view.ts'
import { isSafe, schemeOf } from './sender.ts'
import { names, skippedGroups, type Verdict } from './verdict.ts'

/** In bytes of JSON. */
const urlLimit = 2 * 1024
const headerLimit = 256
const bodyLimit = 4 * 1024

/**
 * The status of a request of which nothing is to be sent: who would get it, and what. Targets that are not skipped are in no set, for nothing
 * became of them.
 */
export function dryRunStatus(spec: HostRequestSpec, view: RunView, context: StatusContext): HostRequestStatus {
  const word = { kind: 'finished', reason: 'Done', unsent: IndexSet.empty } as const
  const status = statusOf(verdictOf(view), { ...view, word }, context)
  return { ...status, dryRun: { request: requestOf(spec, context.run.id) } }
}

function verdictOf(view: RunView): Verdict {
  const meant = view.names.filter((_, index) => !view.record.skipped.has(index))
  const end = [...skippedGroups(view), 'nothing was sent']
  if (meant.length === 0) {
    return { state: 'ERROR', reason: 'NoTargets', msg: ['dry run: no host to send to', ...end].join('; ') }
  }
  const who = `dry run: ${meant.length} ${meant.length === 1 ? 'host' : 'hosts'} would get the request: ${names(meant)}`
  return { state: 'SUCCESS', reason: 'DryRun', msg: [who, ...end].join('; ') }
}

function requestOf({ http }: HostRequestSpec, runId: string): NonNullable<HostRequestStatus['dryRun']>['request'] {
  const { method, api: path, parameters, port } = http
  const key = isSafe(http) ? {} : { 'idempotency-key': `${runId}/0/{uid}` }
  const placeholders = new Set<string>()
  const shown = parameters.map(({ key: name, value = '', valueFrom }) => {
    if (valueFrom === undefined) return { key: name, value }
    const placeholder = `{secret ${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}}`
    placeholders.add(placeholder)
    return { key: name, value: placeholder }
  })
  const message = messageOf({ method, path, parameters: shown, headers: key })
  // Not as a query would bear it: it stands for something.
  const legible = [...placeholders].reduce(
    (text, placeholder) => text.replaceAll(inQuery(placeholder), placeholder),
    message.path,
  )
  return {
    method,
    url: boundedText(`${schemeOf(http)}://{host}:${port}${legible}`, urlLimit),
    headers: Object.entries(message.headers).map(([name, value]) => boundedText(`${name}: ${value}`, headerLimit)),
    ...(message.body === undefined ? {} : { body: boundedText(message.body, bodyLimit) }),
  }
}

function inQuery(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1)
}
