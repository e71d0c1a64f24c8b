import type { AdmissionPolicy, AdmissionPolicyBinding } from './admission-policy.ts'
import { generatedYaml } from './generated-yaml.ts'
import { group } from './group.ts'
import { secretPolicy, secretPolicyBinding } from './secret-policy.ts'
import { targetPolicy, targetPolicyBinding } from './target-policy.ts'

/** All by which the API server asks whether a HostRequest may be: without any one of these objects it does not ask everything. */
export const requestPolicies: readonly (AdmissionPolicy | AdmissionPolicyBinding)[] = [
  ...[targetPolicy, targetPolicyBinding],
  ...[secretPolicy, secretPolicyBinding],
]

/** Each policy and its binding: name of the file → YAML. */
export function admissionPolicies(): Record<string, string> {
  const files = Map.groupBy(requestPolicies, ({ metadata }) => `${metadata.name.replace(`.${group}`, '')}.yaml`)
  return Object.fromEntries([...files].map(([file, objects]) => [file, generatedYaml(...objects)]))
}
