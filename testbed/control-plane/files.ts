import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeys, privateKeyPem, publicKeyPem, type CertificateAuthority, type KeyPair } from '../pki.ts'
import { kubeconfig } from './kubeconfig.ts'

export type ControlPlaneFiles = {
  readonly directory: string
  /** URL of the API server. */
  readonly server: string
  readonly authority: CertificateAuthority
  /** The addresses that etcd and the API server are reached by. */
  readonly addresses: readonly string[]
}

const secret = { mode: 0o600 }

/** Writes the certificates, keys and kubeconfigs that the programs of a control plane read; keys for their owner only. */
export async function writeFiles({ directory, server, authority, addresses }: ControlPlaneFiles): Promise<void> {
  const path = (name: string) => join(directory, name)
  const write = async (name: string, { certificate, key }: KeyPair) => {
    await writeFile(path(`${name}.crt`), certificate)
    await writeFile(path(`${name}.key`), key, secret)
  }
  const user = async (name: string, subject: string) => {
    const pair = await authority.issue({ subject, usages: ['client'] })
    await writeFile(path(`${name}.kubeconfig`), kubeconfig(server, authority.certificate, pair), secret)
  }
  const dnsNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
  // etcd is a client of itself too: its gateway for JSON.
  const etcd = { subject: 'CN=etcd', dnsNames: ['localhost'], addresses, usages: ['server', 'client'] } as const
  const apiServer = { subject: 'CN=kube-apiserver', dnsNames, addresses, usages: ['server'] } as const
  const etcdClient = { subject: 'CN=kube-apiserver-etcd-client', usages: ['client'] } as const
  const signing = await generateKeys()
  await writeFile(path('ca.crt'), authority.certificate)
  await writeFile(path('service-account.key'), await privateKeyPem(signing), secret)
  await writeFile(path('service-account.pub'), await publicKeyPem(signing))
  await write('etcd', await authority.issue(etcd))
  await write('apiserver', await authority.issue(apiServer))
  await write('etcd-client', await authority.issue(etcdClient))
  await user('admin', 'CN=testbed-admin,O=system:masters')
  await user('controller-manager', 'CN=system:kube-controller-manager')
}
