import { readFile } from 'node:fs/promises'
import { installerAccount, systemNamespace } from '@keelson/api'
import { kinds, type KubeClient } from '@keelson/kube'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { podToken } from '../control-plane/pod-token.ts'
import type { Host } from '../hosts/host.ts'
import { CertificateAuthority } from '../pki.ts'

/**
 * Gives a host its certificate in the one way there is: the executable, run in the host, makes the key there and asks the API server by a token that is
 * bound to the installer's Pod on the host's Node. The token comes on standard input, so that no credentials of the cluster are left on the host.
 */
export async function enrolHost(cluster: ControlPlane, host: Host): Promise<void> {
  const { name } = host
  const { kubeconfig } = await podToken(cluster, { node: name, namespace: systemNamespace, account: installerAccount })
  const argv = ['/opt/keelson/bin/node', '/opt/keelson/keelson.mjs', 'join', '--name', name]
  await host.run([...argv, '--kubeconfig=/dev/stdin', '--timeout-seconds=60'], {
    input: await readFile(kubeconfig, 'utf8'),
  })
  // It has been trying without a certificate every two seconds.
  await host.run(['systemctl', 'restart', 'keelson-agent'])
}

/** The operator's own authority, for tests that need certificates which it would not sign; undefined as long as there is none. */
export async function operatorAuthority(client: KubeClient): Promise<CertificateAuthority | undefined> {
  const secret = await client
    .get(kinds.Secret, { name: 'keelson-agent-ca', namespace: systemNamespace })
    .catch(() => undefined)
  const [certificate, key] = ['ca.crt', 'ca.key'].map((field) => secret?.data?.[field])
  if (certificate === undefined || key === undefined) return undefined
  const text = (base64: string) => Buffer.from(base64, 'base64').toString()
  return CertificateAuthority.of({ certificate: text(certificate), key: text(key) })
}
