import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { joinListener } from '../capsule/listener.ts'
import { report } from '../progress.ts'
import { fullShow } from './full.ts'
import { lightShow } from './light.ts'
import { runSteps } from './run-steps.ts'
import type { Outside } from './show.ts'

/** `make demo`: the capsule's side. Shows the steps, and stays. */
const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '3' },
    port: { type: 'string', default: '0' },
    'console-port': { type: 'string', default: '0' },
    check: { type: 'boolean', default: false },
    light: { type: 'boolean', default: false },
    'without-agent': { type: 'string' },
  },
})

/** Known once it is up. */
const inside: { kubernetes?: URL; console?: URL } = {}
for (const name of ['kubernetes', 'console'] as const)
  joinListener(name, () => {
    const url = inside[name]
    return url === undefined ? undefined : { host: url.hostname, port: Number(url.port || 80) }
  })
process.send?.('inside')

const outside: Outside = {
  kubernetesUrl: `https://127.0.0.1:${values.port}`,
  consoleUrl: `http://127.0.0.1:${values['console-port']}`,
  openKubernetes: async (server, adminKubeconfig) => {
    inside.kubernetes = new URL(server)
    const kubeconfig = await readFile(adminKubeconfig, 'utf8')
    process.send?.({ kubeconfig: kubeconfig.replace(server, outside.kubernetesUrl) })
  },
  openConsole: (url) => (inside.console = new URL(url)),
}

const hosts = Number(values.hosts)
const { steps, console: web } = values.light
  ? await lightShow(outside, { hosts, withoutAgent: values['without-agent'] })
  : fullShow(outside, { hosts })
const passed = await runSteps(steps)
report('demo', `${(performance.now() / 1_000).toFixed(0)} s in all`)
if (values.check) process.exit(passed ? 0 : 1)
process.send?.({ stepsDone: true, consoleUrl: web.url, bootstrapLink: await web.bootstrapLink() })
// Until the starter ends.
setInterval(() => {}, 3_600_000)
