import { join, resolve } from 'node:path'
import { eventually } from '../deadline.ts'
import { expectThat, mustKubectl, type Stage, type Step } from './stage.ts'

const examples = resolve(import.meta.dirname, '../../deploy/examples')

const sysctl = 'net.core.somaxconn'

/** Applies an example, waits until its run has ended and gives back its row; throws unless it ended in the wanted state. */
async function request(stage: Stage, example: string, state: 'SUCCESS' | 'ERROR'): Promise<string> {
  await mustKubectl(stage, 'apply', '--filename', join(examples, `${example}.yaml`))
  const name = `hostrequest/${example}`
  await mustKubectl(stage, 'wait', '--for=condition=Finished', name, '--timeout=30s')
  const found = await mustKubectl(stage, 'get', name, '--output=jsonpath={.status.state}: {.status.msg}')
  expectThat(found.startsWith(`${state}:`), `${state} of ${name}`, found)
  return `$ kubectl apply -f deploy/examples/${example}.yaml\n${await mustKubectl(stage, 'get', name)}\n${found}`
}

/** What a program of the host itself says, on each of some hosts; throws where it is not the wanted. */
async function readBack(
  stage: Stage,
  hosts: readonly string[],
  argv: readonly string[],
  wanted: string,
): Promise<string> {
  const lines = [`$ ${argv.join(' ')}    # in the host`]
  for (const host of hosts) {
    const found = await stage.host(host).read(argv)
    expectThat(found === wanted, `${wanted} from \`${argv.join(' ')}\` in ${host}`, found)
    lines.push(`${host}: ${found}`)
  }
  return lines.join('\n')
}

/** What Keelson does once it is there. */
export function keelsonSteps(stage: Stage): readonly Step[] {
  const { workers } = stage
  const hosts = ['control-plane', ...workers]
  return [
    {
      title: 'Every Node has a Host, and every agent answers',
      run: async () => {
        const count = async () =>
          (await mustKubectl(stage, 'get', 'hosts', '--output=name')).split('\n').filter(Boolean).length ===
          hosts.length
        await eventually(`${hosts.length} hosts in the inventory`, count, 20_000)
        await mustKubectl(stage, 'wait', '--for=condition=Ready', 'hosts', '--all', '--timeout=20s')
        const table = await mustKubectl(stage, 'get', 'hosts', '--output=wide')
        expectThat(table.split('\n').length === hosts.length + 1, `${hosts.length} hosts`, table)
        const active = await readBack(stage, hosts, ['systemctl', 'is-active', 'keelson-agent'], 'active')
        return `$ kubectl get hosts -o wide\n${table}\n${active}`
      },
    },
    {
      title: 'A sysctl changes on every worker, and on no other host',
      run: async () => {
        const read = ['sysctl', '-n', sysctl]
        const before = await stage.host('control-plane').read(read)
        await readBack(stage, workers, read, before)
        const shown = await request(stage, 'backlog', 'SUCCESS')
        const changed = await readBack(stage, workers, read, '16384')
        return [shown, changed, await readBack(stage, ['control-plane'], read, before)].join('\n')
      },
    },
    {
      title: 'One host gets another host name',
      run: async () => {
        const read = ['hostnamectl', '--static']
        const other = await stage.host('worker-2').read(read)
        const shown = await request(stage, 'hostname', 'SUCCESS')
        const changed = await readBack(stage, ['worker-1'], read, 'edge-1')
        const node = await mustKubectl(stage, 'get', 'node', 'worker-1')
        return [shown, changed, await readBack(stage, ['worker-2'], read, other), node].join('\n')
      },
    },
    {
      title: 'A service starts on every worker',
      run: async () => {
        await readBack(stage, workers, ['systemctl', 'is-active', 'nginx'], 'inactive')
        const shown = await request(stage, 'nginx-service', 'SUCCESS')
        const active = await readBack(stage, workers, ['systemctl', 'is-active', 'nginx'], 'active')
        const enabled = await readBack(stage, workers, ['systemctl', 'is-enabled', 'nginx'], 'enabled')
        return [shown, active, enabled].join('\n')
      },
    },
    {
      title: 'A receiver that knows nothing of Keelson gets its request, over plain HTTP',
      run: async () => {
        const shown = await request(stage, 'web-check', 'SUCCESS')
        const log = '/var/log/nginx/access.log'
        return [shown, await readBack(stage, workers, ['wc', '-l', log], `1 ${log}`)].join('\n')
      },
    },
    {
      title: 'A canary goes first: where it fails, no other host gets the request',
      run: async () => {
        const shown = await request(stage, 'canary', 'ERROR')
        const counts = await mustKubectl(stage, 'get', 'hostrequest', 'canary', '--output=jsonpath={.status.counts}')
        const { failed, skipped } = JSON.parse(counts) as { failed: number; skipped: number }
        expectThat(failed === 1 && skipped === workers.length - 1, 'one host failed, the others skipped', counts)
        return `${shown}\n${counts}`
      },
    },
    {
      title: 'Equal answers are told once',
      run: async () => {
        const shown = await request(stage, 'backlogs', 'SUCCESS')
        const row = '{.count} × HTTP {.code} {.body}    {.sample}{"\\n"}'
        const output = `--output=jsonpath={range .status.answers[*]}${row}{end}`
        const answers = await mustKubectl(stage, 'get', 'hostrequest', 'backlogs', output)
        const counts = answers.split('\n').map((line) => line.split(' ')[0])
        expectThat(counts.join() === `${workers.length},1`, 'one answer of the workers, one of the others', answers)
        return `${shown}\n${answers}`
      },
    },
    {
      title: 'A host that is away is skipped, and named',
      run: async () => {
        await stage.host('worker-2').read(['systemctl', 'stop', 'kubelet.service'])
        await mustKubectl(stage, 'wait', '--for=condition=Online=False', 'host/worker-2', '--timeout=60s')
        const shown = await request(stage, 'host-names', 'SUCCESS')
        expectThat(shown.includes('skipped: worker-2 (offline)'), 'worker-2 named as skipped', shown)
        const node = await mustKubectl(stage, 'get', 'node', 'worker-2')
        return `$ systemctl stop kubelet    # in worker-2\n$ kubectl get node worker-2\n${node}\n${shown}`
      },
    },
    {
      title: 'A host that Kubernetes has lost is asked all the same, and its kubelet runs again',
      run: async () => {
        const read = ['systemctl', 'is-active', 'kubelet.service']
        const before = await readBack(stage, ['worker-2'], read, 'inactive')
        const shown = await request(stage, 'start-kubelet', 'SUCCESS')
        const after = await readBack(stage, ['worker-2'], read, 'active')
        for (const object of ['node/worker-2', 'host/worker-2'])
          await mustKubectl(stage, 'wait', '--for=condition=Ready', object, '--timeout=60s')
        const node = await mustKubectl(stage, 'get', 'node', 'worker-2')
        return [before, shown, after, `$ kubectl get node worker-2\n${node}`].join('\n')
      },
    },
    {
      title: 'A mistyped name stops the whole request',
      run: async () => {
        const shown = await request(stage, 'typo', 'ERROR')
        expectThat(shown.includes('wroker-2'), 'the unknown name', shown)
        return [shown, await readBack(stage, ['worker-1'], ['sysctl', '-n', sysctl], '16384')].join('\n')
      },
    },
    {
      title: 'The API server refuses what means something to a shell',
      run: async () => {
        const { exitCode, stderr } = await stage.kubectl(['apply', '--filename', join(examples, 'injection.yaml')])
        expectThat(
          exitCode !== 0 && stderr.includes('spec.http.parameters: Forbidden: value of parameter'),
          'a refusal that names the field',
          stderr,
        )
        return `$ kubectl apply -f deploy/examples/injection.yaml\n${stderr.trim()}`
      },
    },
    {
      title: 'A tenant with a right on one host is refused another',
      run: async () => {
        await mustKubectl(stage, 'apply', '--filename', join(examples, 'tenant-rights.yaml'))
        const tenant = '--as=system:serviceaccount:default:tenant'
        const asTenant = (...args: readonly string[]) => stage.kubectl([...args, tenant])
        await eventually('the rights of the tenant are known', async () => {
          const answers = await Promise.all([
            asTenant('auth', 'can-i', 'create', 'hostrequests'),
            asTenant('auth', 'can-i', 'update', 'hosts/worker-1', '--subresource=sysctl'),
          ])
          return answers.every(({ exitCode }) => exitCode === 0)
        })
        const { exitCode, stderr } = await asTenant('apply', '--filename', join(examples, 'tenant.yaml'))
        expectThat(
          exitCode !== 0 && stderr.includes('may not update hosts/sysctl on host "worker-2"'),
          'a refusal that names the user, the right and the host',
          stderr,
        )
        return `$ kubectl apply -f deploy/examples/tenant.yaml ${tenant}\n${stderr.trim()}`
      },
    },
    {
      title: 'The console is up, and waits for its first administrator',
      run: async () => {
        const { inside, url } = stage.console
        // A Service leads to no Pod of a host that Kubernetes has lost, and to them again some seconds after it is back.
        const page = await eventually('the console answers', () => fetch(inside), 30_000)
        const session = await fetch(new URL('/api/session', inside), { headers: { 'sec-fetch-site': 'same-origin' } })
        const { bootstrapOpen } = (await session.json()) as { bootstrapOpen?: boolean }
        expectThat(
          page.ok && bootstrapOpen === true,
          'its pages, and nobody with an account',
          `${page.status}, ${session.status}`,
        )
        return `${url}\n${await stage.console.bootstrapLink()}`
      },
    },
  ]
}
