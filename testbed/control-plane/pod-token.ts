import type { ControlPlane } from './control-plane.ts'

export type PodToken = {
  readonly pod: string
  readonly uid: string
  readonly token: string
  /** Path of a kubeconfig with the token. */
  readonly kubeconfig: string
}

/**
 * A Pod object of a service account on a Node, and a token bound to it, as a kubelet would ask for it. No kubelet runs, so the Pod stays Pending; the
 * API server makes the same token of it.
 */
export async function podToken(
  cluster: ControlPlane,
  where: { readonly node: string; readonly namespace: string; readonly account: string; readonly pod?: string },
): Promise<PodToken> {
  const { node, namespace, account, pod = `${account}-${crypto.randomUUID().slice(0, 8)}` } = where
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace },
    spec: {
      nodeName: node,
      serviceAccountName: account,
      // As a DaemonSet's Pod: a Node that is not ready keeps it.
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'installer', image: 'installer' }],
    },
  }
  const kubectl = async (args: readonly string[], input = '') => {
    const { exitCode, stdout, stderr } = await cluster.kubectl(args, { input })
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
    return stdout.trim()
  }
  const uid = await kubectl(['create', '--filename=-', '--output=jsonpath={.metadata.uid}'], JSON.stringify(object))
  const bound = [`--bound-object-kind=Pod`, `--bound-object-name=${pod}`, `--bound-object-uid=${uid}`]
  const token = await kubectl(['create', 'token', `--namespace=${namespace}`, account, ...bound, '--duration=1h'])
  return { pod, uid, token, kubeconfig: await cluster.tokenKubeconfig(pod, token) }
}
