import { join } from 'node:path'
import { deployFolder } from '@keelson/deploy'
import type { ControlPlane } from '../control-plane/control-plane.ts'

/** The operator takes no request for judged that is written within 5 s of the policy. */
export const policyInForceMs = 5_100

/** CRDs, roles and policy, as a user installs them; throws with kubectl's words. */
export async function applyManifests(cluster: ControlPlane): Promise<void> {
  const kubectl = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await cluster.kubectl(args)
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
  }
  await kubectl('create', 'namespace', 'keelson-system')
  const folders = ['admission', 'crds', 'rbac', 'console'].flatMap((folder) => [
    '--filename',
    join(deployFolder, folder),
  ])
  await kubectl('apply', '--server-side', ...folders)
  const crds = ['crd/hosts.keelson.dev', 'crd/hostrequests.keelson.dev']
  await kubectl('wait', '--for=condition=Established', ...crds, '--timeout=20s')
}
