import { stringify } from 'yaml'

export type KubeconfigUser = { readonly certificate: string; readonly key: string } | { readonly token: string }

/** A kubeconfig with one context; certificates inline, so that the file alone is enough. */
export function kubeconfig(server: string, authority: string, user: KubeconfigUser): string {
  const inline = (pem: string) => Buffer.from(pem).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'testbed', cluster: { server, 'certificate-authority-data': inline(authority) } }],
    users: [
      {
        name: 'user',
        user:
          'token' in user
            ? { token: user.token }
            : { 'client-certificate-data': inline(user.certificate), 'client-key-data': inline(user.key) },
      },
    ],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: 'user' } }],
    'current-context': 'testbed',
  })
}
