import { systemNamespace, trustBundle } from '@keelson/api'
import type { KubeClient } from '@keelson/kube'
import { ownNode, readBundle } from '../cluster-identity.ts'
import { enrol } from '../enrol.ts'
import { EnrolmentError } from '../enrolment-error.ts'
import { InstallerError } from './installer-error.ts'
import type { ClusterSide } from './installer.ts'
import { nodeUidOfToken } from './token-node.ts'

const enrolmentTimeoutMs = 60_000

/** The cluster by its API server, as the installer's service account, whose token is in the file where we are a Pod. */
export function clusterSide(client: KubeClient, name: string, tokenFile: string | undefined): ClusterSide {
  return {
    nodeUidAtHand: async () => (tokenFile === undefined ? undefined : nodeUidOfToken(tokenFile)),
    trust: async (signal) => {
      const node = await ownNode(client, signal)
      if (node !== undefined && node.name !== name)
        throw new InstallerError(
          'NodeMismatch',
          `this Pod runs on the Node ${node.name}, so it may not install the agent of ${name}: correct --node-name`,
        )
      const bundle = await readBundle(client, signal)
      if (bundle === undefined)
        throw new EnrolmentError(
          'TrustMissing',
          `the cluster has no ConfigMap ${systemNamespace}/${trustBundle.name} with ${trustBundle.key}: the operator makes it, once it runs`,
        )
      return { bundle, nodeUid: node?.uid }
    },
    enrol: async ({ nodeUid, folder, replace }, signal) => {
      const { outcome } = await enrol({ client, name, nodeUid, folder, replace, timeoutMs: enrolmentTimeoutMs }, signal)
      return outcome
    },
  }
}
