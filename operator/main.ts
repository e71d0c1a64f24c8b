import { productVersion } from '@keelson/api/product-version'
import { KubeClient } from '@keelson/kube'
import { destination, pino } from 'pino'
import { readConfiguration } from './configuration.ts'
import { collectInProportion } from './garbage-collection.ts'
import { OperatorMetrics } from './metrics/operator-metrics.ts'
import { runOperator } from './operator.ts'
import { Health } from './serving/health.ts'
import { HttpServer } from './serving/http-server.ts'
import { probesAndMetrics } from './serving/routes.ts'

collectInProportion()
// Written before it goes on: a process that dies loses no line.
const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 1, sync: true }))
const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    logger.info({ signal: name }, 'stopping')
    stop.abort()
  })

/** At once, whatever is still under way: work that does not end must not go on without the lease. */
function die(error: unknown): never {
  logger.fatal({ err: error }, 'operator ended')
  process.exit(1)
}

try {
  const { kubeconfig, metricsAddress, ...options } = await readConfiguration(process.argv.slice(2))
  const metrics = new OperatorMetrics()
  metrics.measureProcess()
  const health = new Health()
  const connect = async () => {
    const defaults = { fieldManager: 'keelson-operator', metrics }
    return kubeconfig === undefined ? KubeClient.inCluster(defaults) : KubeClient.fromKubeconfig(kubeconfig, defaults)
  }
  await using client = await connect()
  await using electionClient = await connect()
  await using _ =
    metricsAddress === undefined ? undefined : await HttpServer.start(metricsAddress, probesAndMetrics(health, metrics))
  logger.info({ version: productVersion }, 'operator started')
  await runOperator({ ...options, client, electionClient, metrics, health, logger }, stop.signal).catch(die)
  logger.info('operator stopped')
} catch (error) {
  die(error)
}
