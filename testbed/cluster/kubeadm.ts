import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { stringify } from 'yaml'

/** Pods of one host each get an address of a /24 of their own; the third number is the last one of the host's address. */
const podSubnet = '10.244.0.0/16'

/** Where Services have their addresses. */
export const serviceNetwork = '10.96.0.0/16'

/** How long nobody hears of a Node until it is Unknown; its kubelet renews four times as often. Shorter than the default of 50 s, for the sake of tests. */
const nodeGraceSeconds = 20

/** There is one control plane: nobody to elect a leader from, nor a lease of somebody who lost power to wait for. */
const soleOfItsKind = [{ name: 'leader-elect', value: 'false' }]

const apiVersion = 'kubeadm.k8s.io/v1beta4'

export type JoiningNode = {
  /** Name of the Node. */
  readonly name: string
  readonly address: string
}

function registration({ name, address }: JoiningNode) {
  return {
    name,
    criSocket: 'unix:///run/containerd/containerd.sock',
    // It misses the controllers of the cgroups, which a host has not; it is the only check that needs to be passed over.
    ignorePreflightErrors: ['SystemVerification'],
    kubeletExtraArgs: [{ name: 'node-ip', value: address }],
  }
}

/** A token of the form that bootstrap tokens have. */
export function newToken(): string {
  const hex = randomBytes(11).toString('hex')
  return `${hex.slice(0, 6)}.${hex.slice(6)}`
}

/** By this whoever joins knows the cluster's authority: its argument is a certificate in PEM. */
function publicKeyHash(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(key).digest('hex')}`
}

/** The file for `kubeadm init`. */
export function initConfiguration(node: JoiningNode, version: string, token: string): string {
  const documents = [
    {
      apiVersion,
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: node.address, bindPort: 6443 },
      bootstrapTokens: [{ token, ttl: '24h0m0s' }],
      nodeRegistration: registration(node),
      // Part of what lies on a node from the start.
      patches: { directory: '/etc/kubernetes/patches' },
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      kubernetesVersion: version,
      networking: { podSubnet, serviceSubnet: serviceNetwork },
      // From outside the capsule it is reached by a port of the machine.
      apiServer: { certSANs: ['127.0.0.1'] },
      controllerManager: {
        extraArgs: [
          { name: 'node-monitor-grace-period', value: `${nodeGraceSeconds}s` },
          { name: 'node-monitor-period', value: '2s' },
          // The hosts' pod networks follow from their addresses.
          { name: 'allocate-node-cidrs', value: 'false' },
          ...soleOfItsKind,
          // Its first act is some hundred requests; at the default of 20 a second everything would wait for it.
          { name: 'kube-api-qps', value: '200' },
          { name: 'kube-api-burst', value: '400' },
        ],
      },
      scheduler: { extraArgs: soleOfItsKind },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      nodeLeaseDurationSeconds: nodeGraceSeconds,
      // A host's cgroups have no controllers, and systemd manages its own.
      cgroupDriver: 'cgroupfs',
      cgroupsPerQOS: false,
      // Not an empty list: kubeadm would leave it out.
      enforceNodeAllocatable: ['none'],
      // A host may not lower it.
      oomScoreAdj: 0,
      maxOpenFiles: 20_000,
      // No image could be pulled again.
      imageGCHighThresholdPercent: 100,
    },
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'nftables',
      // The kernel is shared: its limits cannot be set.
      conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    },
  ]
  return documents.map((document) => stringify(document)).join('---\n')
}

/** The file for `kubeadm join`; `authority` is the cluster's certificate in PEM. */
export function joinConfiguration(node: JoiningNode, server: string, token: string, authority: string): string {
  const caCertHashes = [publicKeyHash(authority)]
  const bootstrapToken = { apiServerEndpoint: new URL(server).host, token, caCertHashes }
  return stringify({
    apiVersion,
    kind: 'JoinConfiguration',
    discovery: { bootstrapToken },
    nodeRegistration: registration(node),
  })
}

/** The network plug-ins' configuration of a host. */
export function networkConfiguration(address: string): string {
  return `${JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'pods',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          // A pod may reach itself by a Service.
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: podNetwork(address) }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  )}\n`
}

/** The network of the pods of a host. */
export function podNetwork(address: string): string {
  return `10.244.${address.split('.').at(-1)}.0/24`
}
