import { systemNamespace } from '@keelson/api'
import { Cluster } from '../cluster/cluster.ts'
import { installKeelson } from '../cluster/install.ts'
import { serviceNetwork } from '../cluster/kubeadm.ts'
import { mustRun } from '../command.ts'
import { eventually } from '../deadline.ts'
import type { Outside, Show } from './show.ts'
import { expectThat, mustKubectl, type Stage, type StageConsole, type Step } from './stage.ts'
import { keelsonSteps } from './steps.ts'

/** The whole way: bare machines, a cluster of them by kubeadm, Keelson by its chart. The cluster comes to be in the first steps. */
export function fullShow(outside: Outside, { hosts }: { readonly hosts: number }): Show {
  const workers = Array.from({ length: hosts - 1 }, (_, index) => `worker-${index + 1}`)
  const made: { cluster?: Cluster; consoleAddress?: string } = {}
  const up = () => {
    if (made.cluster === undefined) throw new Error('there is no cluster yet')
    return made.cluster
  }
  const console: StageConsole = {
    url: outside.consoleUrl,
    get inside() {
      return `http://${made.consoleAddress}`
    },
    bootstrapLink: () => bootstrapLink(stage),
  }
  const stage: Stage = {
    workers,
    host: (name) => up().host(name),
    kubectl: (args) => up().kubectl(args),
    console,
  }
  const steps: readonly Step[] = [
    {
      title: `${hosts} bare machines boot: Linux with systemd, and no Kubernetes`,
      run: async () => {
        made.cluster = await Cluster.bare({ workers: workers.length })
        return shownMachines(stage)
      },
    },
    {
      title: 'kubeadm makes a cluster of them',
      run: async () => {
        await up().form()
        await outside.openKubernetes(up().server, up().adminKubeconfig)
        const nodes = await mustKubectl(stage, 'get', 'nodes', '--output=wide')
        expectThat(nodes.match(/ Ready /g)?.length === hosts, `${hosts} Nodes that are Ready`, nodes)
        return `$ kubectl get nodes -o wide\n${nodes}`
      },
    },
    {
      title: 'Helm installs Keelson, and its Pods install the agents',
      run: async () => {
        const { consoleUrl, kubernetesUrl } = outside
        const values = { 'console.publicUrl': consoleUrl, 'console.kubernetesPublicUrl': kubernetesUrl }
        await installKeelson(up(), { values })
        const pods = await mustKubectl(stage, '--namespace', systemNamespace, 'get', 'pods', '--output=wide')
        // Two operators, a console, and an installer on each host.
        expectThat(pods.match(/ 1\/1 +Running /g)?.length === hosts + 3, `${hosts + 3} Pods that are Ready`, pods)
        made.consoleAddress = await consoleService(up())
        outside.openConsole(console.inside)
        const command = `$ helm install keelson deploy/chart --namespace ${systemNamespace} --wait`
        return `${command}\n$ kubectl -n ${systemNamespace} get pods -o wide\n${pods}`
      },
    },
    ...keelsonSteps(stage),
  ]
  return { steps, console }
}

async function shownMachines(stage: Stage): Promise<string> {
  const look = async (name: string) => {
    const machine = stage.host(name)
    const system = await machine.read(['systemctl', 'is-system-running'])
    const kubelet = await machine.read(['systemctl', 'is-active', 'kubelet.service'])
    const agent = await machine.read(['systemctl', 'show', '--property=LoadState', '--value', 'keelson-agent.service'])
    const states = [system, kubelet, agent].join(', ')
    expectThat(states === 'running, inactive, not-found', `a bare ${name}: running, inactive, not-found`, states)
    const release = await machine.read(['grep', '^PRETTY_NAME=', '/etc/os-release'])
    const hostname = await machine.read(['hostname'])
    return `${hostname}: ${release}, systemd ${system}, kubelet ${kubelet}, keelson-agent ${agent}`
  }
  return (await Promise.all(['control-plane', ...stage.workers].map(look))).join('\n')
}

/** The address of the console's Service, to which the way leads from here as into any cluster: by one of its Nodes. */
async function consoleService(cluster: Cluster): Promise<string> {
  await mustRun(['ip', 'route', 'replace', serviceNetwork, 'via', cluster.host('control-plane').address])
  const service = ['--namespace', systemNamespace, 'get', 'service/keelson-console']
  return mustKubectl(cluster, ...service, '--output=jsonpath={.spec.clusterIP}')
}

/** The console tells it once, in its log. */
async function bootstrapLink(stage: Stage): Promise<string> {
  const logs = ['--namespace', systemNamespace, 'logs', 'deployment/keelson-console']
  return eventually('the console tells its link', async () => {
    const log = await mustKubectl(stage, ...logs)
    return /https?:[^\s"]+\/bootstrap#[A-Za-z0-9_-]+/.exec(log)?.[0]
  })
}
