/** One entry of the cache: programs of one Go module that are needed together. */
export type ProgramSet = {
  /** Folder beside this file that holds the go.mod. */
  readonly module: string
  /** By name: the import path of the main package, and how long it takes cold on two cores, after those before it, in seconds. */
  readonly programs: Readonly<Record<string, { readonly path: string; readonly seconds: number }>>
  /** The Go module whose version the programs tell as theirs; absent for programs of the tree itself. */
  readonly versionOf?: string
  readonly tags?: string
  /** String variables that the linker sets, as Go's import path and name, from the version without its `v`. */
  readonly stamps?: (version: string) => Readonly<Record<string, string>>
}

function kubernetesStamps(version: string): Record<string, string> {
  const [major, minor] = version.split('.')
  const variables = { gitVersion: `v${version}`, gitMajor: major!, gitMinor: minor! }
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
  )
}

const kubernetes = { module: 'kubernetes', versionOf: 'k8s.io/kubernetes', stamps: kubernetesStamps }
const command = (name: string) => `k8s.io/kubernetes/cmd/${name}`
const plugin = (name: string) => `github.com/containernetworking/plugins/plugins/${name}`
const containerd = (name: string) => `github.com/containerd/containerd/v2/cmd/${name}`

export const programSets = {
  'control-plane': {
    ...kubernetes,
    programs: {
      etcd: { path: 'go.etcd.io/etcd/server/v3', seconds: 45 },
      'kube-apiserver': { path: command('kube-apiserver'), seconds: 210 },
      'kube-controller-manager': { path: command('kube-controller-manager'), seconds: 90 },
      kubectl: { path: command('kubectl'), seconds: 20 },
    },
  },
  // Apart from those above, which are enough for whoever needs no real nodes.
  node: {
    ...kubernetes,
    programs: {
      kubeadm: { path: command('kubeadm'), seconds: 15 },
      kubelet: { path: command('kubelet'), seconds: 30 },
      'kube-proxy': { path: command('kube-proxy'), seconds: 15 },
      'kube-scheduler': { path: command('kube-scheduler'), seconds: 10 },
    },
  },
  containerd: {
    module: 'containerd',
    versionOf: 'github.com/containerd/containerd/v2',
    tags: 'no_btrfs no_devmapper no_zfs no_aufs no_tracing',
    stamps: (version) => ({ 'github.com/containerd/containerd/v2/version.Version': version }),
    programs: {
      containerd: { path: containerd('containerd'), seconds: 40 },
      'containerd-shim-runc-v2': { path: containerd('containerd-shim-runc-v2'), seconds: 5 },
      ctr: { path: containerd('ctr'), seconds: 5 },
    },
  },
  'cni-plugins': {
    module: 'cni-plugins',
    versionOf: 'github.com/containernetworking/plugins',
    programs: {
      bridge: { path: plugin('main/bridge'), seconds: 5 },
      'host-local': { path: plugin('ipam/host-local'), seconds: 1 },
      loopback: { path: plugin('main/loopback'), seconds: 1 },
      portmap: { path: plugin('meta/portmap'), seconds: 1 },
    },
  },
  coredns: {
    module: 'coredns',
    versionOf: 'github.com/coredns/coredns',
    programs: { coredns: { path: 'github.com/coredns/coredns', seconds: 150 } },
  },
  helm: {
    module: 'helm',
    versionOf: 'helm.sh/helm/v4',
    stamps: (version) => ({ 'helm.sh/helm/v4/internal/version.version': `v${version}` }),
    programs: { helm: { path: 'helm.sh/helm/v4/cmd/helm', seconds: 115 } },
  },
  pause: { module: 'pause', programs: { pause: { path: '.', seconds: 2 } } },
  'runc-without-limits': {
    module: 'runc-without-limits',
    programs: { 'runc-without-limits': { path: '.', seconds: 2 } },
  },
} as const satisfies Readonly<Record<string, ProgramSet>>

export type ProgramSetName = keyof typeof programSets
