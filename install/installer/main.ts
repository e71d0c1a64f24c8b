import { agentPort } from '@keelson/api'
import { KubeClient } from '@keelson/kube'
import { destination, pino } from 'pino'
import { clusterSide } from './cluster-side.ts'
import { programsUnder } from './host-programs.ts'
import { Installer } from './installer.ts'
import { Keep } from './keep.ts'
import { ProbeServer } from './probe-server.ts'
import { removeAgent } from './removal.ts'
import { readSettings, type InstallerSettings } from './settings.ts'

/** Where the kubelet puts a Pod's token, and each one that follows. */
const podToken = '/var/run/secrets/kubernetes.io/serviceaccount/token'

// Written before it goes on: a process that dies loses no line.
const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }))
const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    logger.info({ signal: name }, 'stopping')
    stop.abort()
  })

try {
  const settings = readSettings(process.argv.slice(2))
  await (settings.state === 'Present' ? present(settings) : absent(settings))
  logger.info('installer stopped')
} catch (error) {
  logger.fatal({ err: error }, 'installer ended')
  process.exitCode = 1
}

async function present({ hostRoot, image, name, address, kubeconfig, probes }: InstallerSettings): Promise<void> {
  const defaults = { fieldManager: 'keelson-installer' }
  await using client = await (kubeconfig === undefined
    ? KubeClient.inCluster(defaults)
    : KubeClient.fromKubeconfig(kubeconfig, defaults))
  const installer = new Installer({
    ...{ image, hostRoot, name, address, logger, port: agentPort },
    cluster: clusterSide(client, name, kubeconfig === undefined ? podToken : undefined),
    programs: programsUnder(hostRoot),
  })
  await keep((signal) => installer.look(signal), 'the agent of this version is at work', probes)
}

async function absent({ hostRoot, probes }: InstallerSettings): Promise<void> {
  const programs = programsUnder(hostRoot)
  await keep((signal) => removeAgent({ hostRoot, programs, logger }, signal), 'the agent is not on this host', probes)
}

async function keep(
  look: (signal: AbortSignal) => Promise<void>,
  done: string,
  address: InstallerSettings['probes'],
): Promise<void> {
  const keeper = new Keep({ look, done, logger })
  await using _ = await ProbeServer.start(address, { '/healthz': () => keeper.alive, '/readyz': () => keeper.ready })
  logger.info('installer started')
  await keeper.run(stop.signal)
}
