import { KubeClient } from '@keelson/kube'
import { pino } from 'pino'
import { readConfiguration } from './configuration.ts'
import { runOperator } from './operator.ts'

const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })
const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    logger.info({ signal: name }, 'stopping')
    stop.abort()
  })

try {
  const { kubeconfig, ...options } = await readConfiguration(process.argv.slice(2))
  const fieldManager = 'keelson-operator'
  const connect = async () =>
    kubeconfig === undefined
      ? KubeClient.inCluster({ fieldManager })
      : KubeClient.fromKubeconfig(kubeconfig, { fieldManager })
  await using client = await connect()
  await using electionClient = await connect()
  logger.info('operator started')
  await runOperator({ ...options, client, electionClient, logger }, stop.signal)
  logger.info('operator stopped')
} catch (error) {
  logger.fatal({ err: error }, 'operator ended')
  process.exitCode = 1
}
