import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { joinListener } from '../capsule/listener.ts'
import { ConsoleProcess } from '../world/console-process.ts'
import { preparedPages } from '../world/prepare.ts'
import { World } from '../world/world.ts'
import { runSteps } from './steps.ts'

/** `make demo`: the capsule's side. Brings the world up, shows the steps, and stays. */
const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '3' },
    port: { type: 'string', default: '0' },
    'console-port': { type: 'string', default: '0' },
    check: { type: 'boolean', default: false },
    without: { type: 'string', multiple: true, default: [] },
  },
})

/** Known once the control plane is up. */
const api: { server?: URL } = {}
joinListener('kubernetes', () =>
  api.server === undefined ? undefined : { host: api.server.hostname, port: Number(api.server.port) },
)
/** In here; outside it is another one. */
const consolePort = 7118
joinListener('console', () => ({ host: '127.0.0.1', port: consolePort }))
process.send?.('inside')

const world = await World.start({ hosts: Number(values.hosts), operator: !values.without.includes('operator') })
api.server = new URL(world.cluster.server)
for (const part of values.without) {
  const [, host] = /^agent:(.+)$/.exec(part) ?? []
  if (host === undefined) continue
  await world.host(host).run(['systemctl', 'stop', 'keelson-agent.service'])
  await world.kubectl('wait', '--for=condition=Ready=False', `host/${host}`, '--timeout=60s')
}
const kubernetesPublicUrl = `https://127.0.0.1:${values.port}`
const web = world.own(
  await ConsoleProcess.start(world.cluster, {
    pages: preparedPages(),
    port: consolePort,
    publicUrl: `http://127.0.0.1:${values['console-port']}`,
    kubernetesPublicUrl,
  }),
)
const kubeconfig = await readFile(world.cluster.adminKubeconfig, 'utf8')
process.send?.({ kubeconfig: kubeconfig.replace(world.cluster.server, kubernetesPublicUrl) })

const passed = await runSteps(world, web)
if (values.check) process.exit(passed ? 0 : 1)
process.send?.({ stepsDone: true, consoleUrl: web.url, bootstrapLink: await web.bootstrapLink() })
// Until the starter ends.
setInterval(() => {}, 3_600_000)
