import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { KubeClient } from '@keelson/kube'
import { NodeKeeper } from './node-keeper.ts'

/**
 * The test world's kubelet, started in a host by its unit, with flags of the real one. It has the rights of its own Node's kubelet and no others. Its
 * log is the journal's.
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '/etc/kubernetes/kubelet.conf' },
    'hostname-override': { type: 'string', default: hostname() },
    'node-ip': { type: 'string' },
  },
})
const { kubeconfig, 'hostname-override': name, 'node-ip': address } = values
if (address === undefined) throw new Error('--node-ip: give the address of this host')

/** Both small enough for two misses within the grace period of the test world's controller manager. */
const requestTimeoutMs = 4_000
const intervalMs = 3_000

await using client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'kubelet', requestTimeoutMs })
const node = new NodeKeeper(client, { name, address })
for (;;) {
  // What fails is made up for by the next time.
  await node.tick().catch((error: unknown) => console.error(String(error)))
  await sleep(node.registered ? intervalMs : 200)
}
