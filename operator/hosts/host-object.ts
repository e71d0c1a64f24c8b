import type { Condition, Host, HostStatus } from '@keelson/api'
import type { Node } from '@keelson/kube'
import { withTransitionTimes, type WantedCondition } from '../conditions.ts'
import type { FactsAnswer } from './facts.ts'

const controlPlaneLabel = 'node-role.kubernetes.io/control-plane'
const maxAddresses = 16
const maxAddressTypeLength = 63
const maxAddressLength = 253

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

/** Where the agent of an online Node is asked; undefined where there is nothing to ask. */
export function agentAddress(node: Node): string | undefined {
  return offlineReason(node) === undefined ? addressOf(node) : undefined
}

/** Where requests to the host of this Node go to. */
export function addressOf(node: Node): string | undefined {
  return internalAddress(addressesOf(node))
}

/** A kubelet cannot give itself the label: NodeRestriction. */
export function roleOf(node: Node): HostStatus['role'] {
  return Object.hasOwn(node.metadata.labels ?? {}, controlPlaneLabel) ? 'ControlPlane' : 'Worker'
}

/** The address that requests go to. */
export function internalAddress(addresses: HostStatus['addresses']): string | undefined {
  return addresses.find(({ type }) => type === 'InternalIP')?.address
}

/** The status of a Host, from its Node and what its agent answered last; `undefined` where it was not asked, or not yet. */
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
    addresses: addressesOf(node),
    role: roleOf(node),
    ...(facts === undefined ? {} : { facts }),
    conditions: withTransitionTimes([online, readyCondition(node, answer, present)], present?.conditions, now),
  }
}

/** Kubelets write them: what the API server would not take of a Host is left out, or one of them could stop the whole status. */
function addressesOf(node: Node): HostStatus['addresses'] {
  return (node.status?.addresses ?? [])
    .filter(({ type, address }) => type.length <= maxAddressTypeLength && address.length <= maxAddressLength)
    .slice(0, maxAddresses)
    .map(({ type, address }) => ({ type, address }))
}

function readyCondition(node: Node, answer: FactsAnswer | undefined, present: HostStatus | undefined): WantedCondition {
  const type = 'Ready'
  const offline = offlineReason(node)
  if (offline !== undefined) return { type, status: 'False', ...offline }
  const unknown = (message: string) => ({ type, status: 'Unknown', reason: 'AgentNotAsked', message }) as const
  if (agentAddress(node) === undefined) return unknown('the Node has no InternalIP to ask its agent at')
  if (answer === undefined) {
    // After a start of the operator the word of the one before holds until the agent is asked, in a moment: no write for each host.
    const wasOnline = present?.conditions.some(({ type: about, status }) => about === 'Online' && status === 'True')
    const before = present?.conditions.find(({ type: about }) => about === type)
    return wasOnline === true && before !== undefined ? before : unknown('the agent has not been asked yet')
  }
  if ('facts' in answer) return { type, status: 'True', reason: 'AgentAnswers', message: 'the agent answers' }
  return { type, status: 'False', ...answer }
}
