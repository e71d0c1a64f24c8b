import { installerAccount, systemNamespace } from '@keelson/api'
import { kinds, NotFoundError, type CertificateSigningRequest, type KubeClient } from '@keelson/kube'
import { SigningRefusal } from './refusal.ts'

const installer = `system:serviceaccount:${systemNamespace}:${installerAccount}`

/**
 * What the API server says about the token by which a request was made. It writes these itself (KEP-4193, Kubernetes 1.30), and nobody else
 * can without the right to impersonate.
 */
export type TokenClaims = {
  readonly nodeName: string | undefined
  readonly nodeUid: string | undefined
  readonly podName: string | undefined
  readonly podUid: string | undefined
  readonly credentialId: string | undefined
}

export function claimsOf({ extra = {} }: CertificateSigningRequest['spec']): TokenClaims {
  const claim = (name: string): string | undefined => {
    const values = extra[`authentication.kubernetes.io/${name}`] ?? []
    return values.length === 1 ? values[0] : undefined
  }
  return {
    nodeName: claim('node-name'),
    nodeUid: claim('node-uid'),
    podName: claim('pod-name'),
    podUid: claim('pod-uid'),
    credentialId: claim('credential-id'),
  }
}

/**
 * Whose word is enough. The installer is judged by its token; a person (or an account whose token no Pod holds) waits for another person's
 * approval; any other Pod has no business here.
 */
export function requesterOf(spec: CertificateSigningRequest['spec']): 'Installer' | 'Person' | 'Workload' {
  if (spec.username === installer) return 'Installer'
  const { podName, nodeName } = claimsOf(spec)
  return podName === undefined && nodeName === undefined ? 'Person' : 'Workload'
}

/**
 * Lets the installer ask for the certificate of its own Node, and of no other. A token passes the API server's own check for some seconds after
 * its Pod was deleted, so the Pod is looked up.
 *
 * @throws SigningRefusal
 */
export async function admitInstaller(
  client: KubeClient,
  spec: CertificateSigningRequest['spec'],
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { nodeName, nodeUid, podName, podUid, credentialId } = claimsOf(spec)
  if (nodeName === undefined || !nodeUid || podName === undefined || podUid === undefined || !credentialId)
    throw new SigningRefusal('TokenUnbound', `the token of ${installer} must be bound to a Pod that runs on a Node`)
  if (nodeName !== name)
    throw new SigningRefusal(
      'NodeMismatch',
      `the token is of a Pod on the Node ${nodeName}, so it may not ask for the certificate of ${name}`,
    )
  const node = await orUndefined(client.get(kinds.Node, { name }, signal))
  if (node?.metadata.uid !== nodeUid)
    throw new SigningRefusal('NodeUnknown', `the Node ${name} that the token was made for is not there any more`)
  const pod = await orUndefined(client.get(kinds.Pod, { name: podName, namespace: systemNamespace }, signal))
  const same =
    pod?.metadata.uid === podUid &&
    pod.metadata.deletionTimestamp === undefined &&
    pod.spec?.nodeName === name &&
    pod.spec.serviceAccountName === installerAccount
  if (!same) throw new SigningRefusal('PodGone', `the Pod ${podName} that the token was made for is not there any more`)
}

export async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
