import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { joinListener } from '../capsule/listener.ts'
import { World } from '../world/world.ts'
import { runSteps } from './steps.ts'

/** `make demo`: the capsule's side. Brings the world up, shows the steps, and stays. */
const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '3' },
    port: { type: 'string', default: '0' },
    check: { type: 'boolean', default: false },
    without: { type: 'string', multiple: true, default: [] },
  },
})

/** Known once the control plane is up. */
const api: { server?: URL } = {}
joinListener('kubernetes', () =>
  api.server === undefined ? undefined : { host: api.server.hostname, port: Number(api.server.port) },
)
process.send?.('inside')

const world = await World.start({ hosts: Number(values.hosts), operator: !values.without.includes('operator') })
api.server = new URL(world.cluster.server)
for (const part of values.without) {
  const [, host] = /^agent:(.+)$/.exec(part) ?? []
  if (host === undefined) continue
  await world.host(host).run(['systemctl', 'stop', 'keelson-agent.service'])
  await world.kubectl('wait', '--for=condition=Ready=False', `host/${host}`, '--timeout=60s')
}
const kubeconfig = await readFile(world.cluster.adminKubeconfig, 'utf8')
process.send?.({ kubeconfig: kubeconfig.replace(world.cluster.server, `https://127.0.0.1:${values.port}`) })

const passed = await runSteps(world)
if (values.check) process.exit(passed ? 0 : 1)
process.send?.({ stepsDone: true })
// Until the starter ends.
setInterval(() => {}, 3_600_000)
