import { systemNamespace, trustBundle } from '@keelson/api'
import { defineKind, kinds, NotFoundError, type KubeClient, type KubernetesObject } from '@keelson/kube'

type SelfSubjectReview = KubernetesObject & {
  readonly status?: { readonly userInfo: { readonly extra?: Readonly<Record<string, readonly string[]>> | undefined } }
}

const selfSubjectReview = defineKind<SelfSubjectReview>({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
})

/** The Node whose Pod a client's token is bound to, as the API server says it (Kubernetes 1.30); undefined where it is bound to none. */
export async function ownNode(
  client: KubeClient,
  signal?: AbortSignal,
): Promise<{ readonly name: string; readonly uid: string } | undefined> {
  const { status } = await client.review(selfSubjectReview, {}, signal)
  const claim = (key: string): string | undefined =>
    status?.userInfo.extra?.[`authentication.kubernetes.io/${key}`]?.[0]
  const [name, uid] = [claim('node-name'), claim('node-uid')]
  return name === undefined || uid === undefined ? undefined : { name, uid }
}

/** The roots of the cluster, PEM; undefined where it publishes none. */
export async function readBundle(client: KubeClient, signal?: AbortSignal): Promise<string | undefined> {
  const { name, key } = trustBundle
  try {
    const { data } = await client.get(kinds.ConfigMap, { name, namespace: systemNamespace }, signal)
    return data?.[key]
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}
