import type { Values } from './helm.fixture.ts'

/** Everything that can be switched on, each thing in another way than by default. */
export const everything = {
  image: { digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always', pullSecrets: ['registry'] },
  namespace: { create: true },
  operator: {
    serviceCidrs: ['10.96.0.0/16', 'fd00:96::/112'],
    affinity: { podAffinity: {} },
    requestSecrets: 'BoundNamespaces',
  },
  console: {
    replicas: 3,
    publicUrl: 'https://console.example.org:8443',
    trustedProxies: ['10.1.0.0/16', 'fd00::/8'],
    kubernetesPublicUrl: 'https://k8s.example.org:6443',
    sessionSecret: { secretName: 'console-session' },
    database: { type: 'PostgreSQL', postgresql: { secretName: 'console-database' } },
    ingress: {
      ...{ enabled: true, className: 'nginx', tlsSecretName: 'console-tls' },
      annotations: { 'cert-manager.io/cluster-issuer': 'ca' },
    },
    priorityClassName: 'system-cluster-critical',
    affinity: { nodeAffinity: {} },
    tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
  },
  agent: { maxUnavailable: '10%', affinity: { nodeAffinity: {} } },
  networkPolicy: {
    metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    consoleFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }],
  },
  metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } },
} as const satisfies Values

/** Without a cluster's default StorageClass, and with the agents being taken away. */
export const modest = {
  console: { database: { type: 'EmptyDir' } },
  agent: { state: 'Absent' },
  networkPolicy: { enabled: false },
  operator: { replicas: 1, disruptionBudget: { enabled: false } },
} as const satisfies Values
