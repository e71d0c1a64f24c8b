import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Capsule } from '../capsule/capsule.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { report } from '../progress.ts'
import { prepareWorld } from '../world/prepare.ts'
import { announceDemo, demoDirectory, demoKubeconfig, removeDemo, runningDemo } from './state.ts'

/**
 * `make demo`: the machine's side. Makes what is missing, opens a port on 127.0.0.1 for kubectl, starts the capsule and holds it up until
 * Ctrl-C; with CHECK=1 until the steps are through, and ends as they ended.
 *
 * `--without operator` and `--without agent:HOST` leave a part out, to see that the check notices.
 */
const { values } = parseArgs({ options: { without: { type: 'string', multiple: true, default: [] } } })
const check = (process.env['CHECK'] ?? '') !== ''
const hosts = Number(process.env['HOSTS'] || 3)
if (!Number.isInteger(hosts) || hosts < 3 || hosts > 15) {
  console.error(
    'HOSTS is a number from 3 to 15: the steps need one control plane and two workers, and a machine takes some fifteen hosts.',
  )
  process.exit(2)
}
const other = await runningDemo()
if (other !== undefined) {
  console.error(`A demo is up in this tree already (process ${other.starter}): use it, or end it with Ctrl-C first.`)
  process.exit(2)
}

const env = await prepareWorld()
const binaries = await controlPlaneBinaries()
const [kubernetes, web] = await Promise.all([listenOnLoopback(), listenOnLoopback()])

const ended = Promise.withResolvers<number>()
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => ended.resolve(exitCode))

report('demo', `starting a control plane and ${hosts} hosts`)
const capsule = await Capsule.start({
  module: join(import.meta.dirname, 'inside.ts'),
  args: [
    `--hosts=${hosts}`,
    `--port=${portOf(kubernetes)}`,
    `--console-port=${portOf(web)}`,
    ...(check ? ['--check'] : []),
    ...values.without.map((part) => `--without=${part}`),
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
