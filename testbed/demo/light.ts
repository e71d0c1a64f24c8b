import { ConsoleProcess } from '../world/console-process.ts'
import { preparedPages } from '../world/prepare.ts'
import { World } from '../world/world.ts'
import type { Outside, Show } from './show.ts'
import { keelsonSteps } from './steps.ts'

export type LightOptions = {
  readonly hosts: number
  /** The name of a host whose agent is stopped, to see that the steps notice. */
  readonly withoutAgent?: string | undefined
}

/** In here; outside it is another one. */
const consolePort = 7118

/** The quick demo: a control plane without Nodes of its own, hosts with a stand-in for the kubelet, operator and console as processes beside them. */
export async function lightShow(outside: Outside, { hosts, withoutAgent }: LightOptions): Promise<Show> {
  const world = await World.start({ hosts })
  if (withoutAgent !== undefined) {
    await world.host(withoutAgent).run(['systemctl', 'stop', 'keelson-agent.service'])
    await world.kubectl('wait', '--for=condition=Ready=False', `host/${withoutAgent}`, '--timeout=60s')
  }
  const console = world.own(
    await ConsoleProcess.start(world.cluster, {
      pages: preparedPages(),
      port: consolePort,
      publicUrl: outside.consoleUrl,
      kubernetesPublicUrl: outside.kubernetesUrl,
    }),
  )
  await outside.openKubernetes(world.cluster.server, world.cluster.adminKubeconfig)
  outside.openConsole(console.inside)
  const workers = world.lab.hosts.map(({ name }) => name).filter((name) => name.startsWith('worker-'))
  const stage = {
    workers,
    host: (name: string) => world.host(name),
    kubectl: (args: readonly string[]) => world.cluster.kubectl(args),
    console,
  }
  return { steps: keelsonSteps(stage), console }
}
