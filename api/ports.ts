import type { ValidationRule } from './crd/validation-rule.ts'

/**
 * Ports that no request ever reaches, whatever its path: a shell on the host, and the cluster's own parts, which trust
 * whoever can speak to them from a node.
 */
export const refusedPorts: readonly number[] = [
  22, // sshd
  2379, // etcd, clients
  2380, // etcd, peers
  6443, // kube-apiserver
  10250, // kubelet
  10255, // kubelet, read-only
  10256, // kube-proxy, health
  10257, // kube-controller-manager
  10258, // cloud-controller-manager
  10259, // kube-scheduler
]

export const refusedPortMessage = `ports ${refusedPorts.join(', ')} are refused: they belong to SSH and to the cluster itself`

export function isPortRefused(port: number): boolean {
  return refusedPorts.includes(port)
}

export const portRules: readonly ValidationRule[] = [
  {
    rule: `!(self in [${refusedPorts.join(', ')}])`,
    reason: 'FieldValueForbidden',
    message: refusedPortMessage,
  },
]
