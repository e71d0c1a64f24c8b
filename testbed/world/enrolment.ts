import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { installerAccount, systemNamespace } from '@keelson/api'
import { kinds, type KubeClient } from '@keelson/kube'
import type { ControlPlane } from '../control-plane/control-plane.ts'
import { podToken } from '../control-plane/pod-token.ts'
import type { Host } from '../hosts/host.ts'
import { CertificateAuthority } from '../pki.ts'

const credentials = '/etc/keelson/installer.kubeconfig'

/**
 * Gives a host its certificate in the one way there is: the executable, run in the host, makes the key there and asks the API server by a token that is
 * bound to the installer's Pod on the host's Node. The token is on the host for as long as that takes, as it is while that Pod runs.
 */
export async function enrolHost(cluster: ControlPlane, host: Host, ...flags: readonly string[]): Promise<void> {
  const { name, root } = host
  const { kubeconfig } = await podToken(cluster, { node: name, namespace: systemNamespace, account: installerAccount })
  const argv = ['/opt/keelson/current/bin/node', '/opt/keelson/current/keelson.mjs', 'join', '--name', name]
  await copyFile(kubeconfig, join(root, credentials))
  try {
    await host.run([...argv, '--kubeconfig', credentials, '--timeout-seconds=60', ...flags])
  } finally {
    await rm(join(root, credentials))
  }
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
