import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Capsule } from '../capsule/capsule.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { prepareCluster } from '../cluster/prepare.ts'
import { imageArchive } from '../images/keelson-image.ts'
import { report } from '../progress.ts'
import { prepareWorld } from '../world/prepare.ts'
import { inotifyProblem } from './inotify.ts'
import { announceDemo, demoDirectory, demoKubeconfig, removeDemo, runningDemo } from './state.ts'

/**
 * `make demo`: the machine's side. Makes what is missing, opens ports on 127.0.0.1 for kubectl and browsers, starts the capsule and holds it up until
 * Ctrl-C; with CHECK=1 until the steps are through, and ends as they ended. LIGHT=1: the quick world in place of a cluster.
 *
 * `--without-agent HOST` stops that agent of the quick world, to see that the check notices.
 */
const { 'without-agent': withoutAgent } = parseArgs({ options: { 'without-agent': { type: 'string' } } }).values
const [check, light] = ['CHECK', 'LIGHT'].map((name) => (process.env[name] ?? '') !== '')
const hosts = Number(process.env['HOSTS'] || 3)
const problem = hostsProblem()
if (problem !== undefined) {
  console.error(problem)
  process.exit(2)
}
const other = await runningDemo()
if (other !== undefined) {
  console.error(`A demo is up in this tree already (process ${other.starter}): use it, or end it with Ctrl-C first.`)
  process.exit(2)
}

const env = light ? await prepareWorld() : await prepareFull()
const binaries = await controlPlaneBinaries()
const [kubernetes, web] = await Promise.all([listenOnLoopback(), listenOnLoopback()])

const ended = Promise.withResolvers<number>()
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => ended.resolve(exitCode))

report('demo', light ? `starting a control plane and ${hosts} hosts` : `starting ${hosts} hosts`)
const capsule = await Capsule.start({
  module: join(import.meta.dirname, 'inside.ts'),
  args: [
    `--hosts=${hosts}`,
    `--port=${portOf(kubernetes)}`,
    `--console-port=${portOf(web)}`,
    ...(check ? ['--check'] : []),
    ...(light ? ['--light'] : []),
    ...(withoutAgent === undefined ? [] : [`--without-agent=${withoutAgent}`]),
  ],
  env,
  listeners: { kubernetes, console: web },
  onMessage: (message) => {
    const { kubeconfig, consoleUrl, bootstrapLink } = message as {
      readonly kubeconfig?: string
      readonly consoleUrl?: string
      readonly bootstrapLink?: string
    }
    if (kubeconfig !== undefined) void announceDemo(capsule.firstProcess, kubeconfig, binaries).catch(ended.reject)
    if (consoleUrl !== undefined && bootstrapLink !== undefined) howToLook(consoleUrl, bootstrapLink)
  },
})
try {
  process.exitCode = await Promise.race([ended.promise, capsule.ended])
} finally {
  if (process.exitCode !== 0) report('demo', 'ending')
  await capsule[Symbol.asyncDispose]()
  await removeDemo()
}
// Should anything of the listener linger: all is done.
process.exit()

async function prepareFull(): Promise<Record<string, string>> {
  const prepared = await prepareCluster()
  await imageArchive()
  return prepared
}

function hostsProblem(): string | undefined {
  if (!Number.isInteger(hosts) || hosts < 3 || hosts > 15)
    return 'HOSTS is a number from 3 to 15: the steps need one control plane and two workers, and a machine takes some fifteen hosts.'
  return light ? undefined : inotifyProblem(hosts)
}

async function listenOnLoopback(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function howToLook(consoleUrl: string, bootstrapLink: string): void {
  console.log(`
It stays up until Ctrl-C. The console, in a browser of this machine: ${consoleUrl}
The first administrator sets a password here, once: ${bootstrapLink}

From another terminal:

  export KUBECONFIG=${demoKubeconfig} PATH=${join(demoDirectory, 'bin')}:$PATH
  kubectl get hosts
  kubectl get hostrequests --output wide
  kubectl apply --filename deploy/examples/forwarding.yaml
  kubectl explain hostrequest.spec

  make shell HOST=worker-1
  make shell HOST=worker-1 CMD='sysctl net.ipv4.ip_forward'
`)
}
