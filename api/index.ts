export { type AdmissionPolicy, type AdmissionPolicyBinding } from './admission-policy.ts'
export { AgentError, ChangeResult, Facts } from './agent-protocol.ts'
export { amountOf, type Amount } from './amount.ts'
export { apiPathRefusal } from './api-path.ts'
export { Condition } from './condition.ts'
export { customResourceDefinitions } from './crd/kinds.ts'
export {
  agentSigner,
  installerAccount,
  operatorIdentities,
  systemNamespace,
  trustBundle,
  type OperatorIdentity,
} from './enrolment.ts'
export { agentPort, apiVersion, group, version } from './group.ts'
export { Host, HostStatus } from './host.ts'
export { HostRequest, HostRequestSpec } from './host-request.ts'
export { HostRequestStatus, maxTargets } from './host-request-status.ts'
export { IndexSet } from './index-set.ts'
export { LabelSelector } from './label-selector.ts'
export { matchesSelector } from './matches-selector.ts'
export { boundNodeUid, isOfAnotherNode, nodeUidAttribute } from './node-binding.ts'
export { ObjectMeta } from './object-meta.ts'
export { maxValueLength, refuseParameters } from './parameters.ts'
export { isPortRefused } from './ports.ts'
export { type Refusal, type RefusalCode } from './refusal.ts'
export { admissionPolicies, requestPolicies } from './request-policies.ts'
export { refuseSpec } from './refuse-spec.ts'
export { secretPolicy } from './secret-policy.ts'
export { parseSuccessCodes } from './success-codes.ts'
export { targetListDigest, targetListKey, unpackTargetList } from './target-list.ts'
export { targetPolicy, targetPolicyBinding } from './target-policy.ts'
export { rankText, waveEnds } from './wave-plan.ts'
