import type { Condition, Host, HostStatus } from '@keelson/api'
import type { Node } from '@keelson/kube'
import { withTransitionTimes, type WantedCondition } from '../conditions.ts'
import type { FactsAnswer } from './facts.ts'

const controlPlaneLabel = 'node-role.kubernetes.io/control-plane'

/** Labels below this are the Host's own; all others are the Node's. */
const ownLabels = /^([a-z0-9-]+\.)*keelson\.dev\//

/** The labels that a Host has: its Node's, and its own. */
export function hostLabels(node: Node, host: Host | undefined): Record<string, string> {
  const own = Object.entries(host?.metadata.labels ?? {}).filter(([key]) => ownLabels.test(key))
  const theirs = Object.entries(node.metadata.labels ?? {}).filter(([key]) => !ownLabels.test(key))
  return Object.fromEntries([...theirs, ...own])
}

/** Online is whether its Node is Ready; undefined where it is, else why not. */
export function offlineReason(node: Node): Pick<Condition, 'reason' | 'message'> | undefined {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.status === 'True') return undefined
  if (ready === undefined) return { reason: 'NodeStatusUnknown', message: 'the Node has no Ready condition yet' }
  return { reason: 'NodeNotReady', message: `the Node is not ready: ${ready.reason ?? ready.status}` }
}

/** The status of a Host, from its Node and what its agent answered; `undefined` where it was not asked. */
export function hostStatus(
  node: Node,
  answer: FactsAnswer | undefined,
  present: HostStatus | undefined,
  now: Date,
): HostStatus {
  const offline = offlineReason(node)
  const online: WantedCondition = {
    type: 'Online',
    status: offline === undefined ? 'True' : 'False',
    ...(offline ?? { reason: 'NodeReady', message: 'the Node is ready' }),
  }
  const facts = answer !== undefined && 'facts' in answer ? answer.facts : present?.facts
  return {
    addresses: (node.status?.addresses ?? []).slice(0, 16).map(({ type, address }) => ({ type, address })),
    role: controlPlaneLabel in (node.metadata.labels ?? {}) ? 'ControlPlane' : 'Worker',
    ...(facts === undefined ? {} : { facts }),
    conditions: withTransitionTimes([online, readyCondition(offline, answer)], present?.conditions, now),
  }
}

function readyCondition(offline: ReturnType<typeof offlineReason>, answer: FactsAnswer | undefined): WantedCondition {
  if (offline !== undefined) return { type: 'Ready', status: 'False', ...offline }
  if (answer === undefined)
    return {
      type: 'Ready',
      status: 'Unknown',
      reason: 'AgentNotAsked',
      message: 'the Node has no InternalIP to ask its agent at',
    }
  if ('facts' in answer) return { type: 'Ready', status: 'True', reason: 'AgentAnswers', message: 'the agent answers' }
  return { type: 'Ready', status: 'False', ...answer }
}
