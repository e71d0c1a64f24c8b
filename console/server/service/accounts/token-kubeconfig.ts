import { stringify } from 'yaml'

export interface PublicCluster {
  /** `https://host:port` */
  readonly server: string
  /** PEM roots; absent: those that the machine trusts. */
  readonly ca?: string | undefined
}

interface Content {
  readonly cluster: PublicCluster
  readonly account: string
  readonly token: string
  readonly namespace: string
}

/** A kubeconfig for that account, in YAML. A secret. */
export function kubeconfigOf({ cluster: { server, ca }, account, token, namespace }: Content): string {
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  const [cluster, user] = ['keelson', `keelson-${account}`]
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: cluster, cluster: { server, ...authority } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: user, context: { cluster, user, namespace } }],
      'current-context': user,
    },
    { lineWidth: 0 },
  )
}
