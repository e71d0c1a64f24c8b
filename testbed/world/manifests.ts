import { installManifests } from '@keelson/deploy'
import type { CommandResult } from '../command.ts'

/** The operator takes no request for judged that is written within 5 s of the policy. */
export const policyInForceMs = 5_100

/** Of a cluster, what is needed to install into it. */
type Installable = { kubectl(args: readonly string[], options?: { input?: string }): Promise<CommandResult> }

/**
 * What a user installs, but for what runs programs: namespaces, CRDs, roles, policies. What is as it should be stays untouched.
 *
 * @param kinds for objects of these kinds alone
 * @throws Error with kubectl's words
 */
export async function applyManifests(cluster: Installable, kinds?: readonly string[]): Promise<void> {
  const items = installManifests({ workloads: false }).filter(({ kind }) => kinds?.includes(kind) ?? true)
  const kubectl = async (args: readonly string[], input = '') => {
    const { exitCode, stderr } = await cluster.kubectl(args, { input })
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
  }
  const list = { apiVersion: 'v1', kind: 'List', items }
  await kubectl(['apply', '--server-side', '--force-conflicts', '--filename=-'], JSON.stringify(list))
  const crds = items.filter(({ kind }) => kind === 'CustomResourceDefinition')
  if (crds.length > 0)
    await kubectl([
      ...['wait', '--for=condition=Established', '--timeout=20s'],
      ...crds.map(({ metadata }) => `crd/${metadata.name}`),
    ])
}
