import { metrics as kubeMetrics, type MetricDescription } from '@keelson/kube'

/** From a host on the same switch to the longest time that a delivery may have. */
const deliverySeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const

/** What the operator measures beside what its Kubernetes client does. */
const operatorMetrics = {
  keelson_deliveries_total: {
    type: 'counter',
    help: 'Requests sent to hosts, by outcome: succeeded, failed or unknown.',
    labels: ['outcome'],
  },
  keelson_delivery_duration_seconds: {
    type: 'histogram',
    help: 'How long a delivery took, from connecting to the last byte of the answer or its failure.',
    labels: ['outcome'],
    buckets: deliverySeconds,
  },
  keelson_runs_begun_total: { type: 'counter', help: 'Runs begun or taken over.', labels: [] },
  keelson_runs_ended_total: {
    type: 'counter',
    help: 'Runs ended, by the reason that their conditions bear.',
    labels: ['reason'],
  },
  keelson_runs_refused_total: {
    type: 'counter',
    help: 'Runs of which nothing was sent, by the reason that their conditions bear.',
    labels: ['reason'],
  },
  keelson_hostrequests: { type: 'gauge', help: 'HostRequests by state; of the leader.', labels: ['state'] },
  keelson_hosts: { type: 'gauge', help: 'Hosts by whether they are online; of the leader.', labels: ['online'] },
  keelson_agents: {
    type: 'gauge',
    help: 'Agents by version, as they last told; the ten most frequent, and all others as "other"; of the leader.',
    labels: ['version'],
  },
  keelson_policy_missing: {
    type: 'gauge',
    help: '1 while the admission policy for HostRequests is not in place, so that nothing is sent; of the leader.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricDescription>>

export const descriptions = { ...kubeMetrics, ...operatorMetrics }
export type Descriptions = typeof descriptions
