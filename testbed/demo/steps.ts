import { join, resolve } from 'node:path'
import { eventually } from '../deadline.ts'
import type { ConsoleProcess } from '../world/console-process.ts'
import type { World } from '../world/world.ts'

const examples = resolve(import.meta.dirname, '../../deploy/examples')

type Step = { readonly title: string; readonly run: (world: World, web: ConsoleProcess) => Promise<string> }

class StepError extends Error {}

function expectThat(holds: boolean, wanted: string, found: string): void {
  if (!holds) throw new StepError(`expected ${wanted}, found: ${found}`)
}

function workers(world: World): string[] {
  return world.lab.hosts.map(({ name }) => name).filter((name) => name.startsWith('worker-'))
}

/** Applies an example, waits until its run has ended and gives back its row; throws unless it ended in the wanted state. */
async function request(world: World, example: string, state: 'SUCCESS' | 'ERROR'): Promise<string> {
  await world.kubectl('apply', '--filename', join(examples, `${example}.yaml`))
  const name = `hostrequest/${example}`
  await world.kubectl('wait', '--for=condition=Finished', name, '--timeout=30s')
  const found = await world.kubectl('get', name, '--output=jsonpath={.status.state}: {.status.msg}')
  expectThat(found.startsWith(`${state}:`), `${state} of ${name}`, found)
  return `$ kubectl apply -f deploy/examples/${example}.yaml\n${await world.kubectl('get', name)}\n${found}`
}

/** What a program of the host itself says, on each of some hosts; throws where it is not the wanted. */
async function readBack(
  world: World,
  hosts: readonly string[],
  argv: readonly string[],
  wanted: string,
): Promise<string> {
  const lines = [`$ ${argv.join(' ')}    # in the host`]
  for (const host of hosts) {
    const found = await world.host(host).read(argv)
    expectThat(found === wanted, `${wanted} from \`${argv.join(' ')}\` in ${host}`, found)
    lines.push(`${host}: ${found}`)
  }
  return lines.join('\n')
}

const steps: readonly Step[] = [
  {
    title: 'Every Node has a Host, and every agent answers',
    run: async (world) => {
      const all = world.lab.hosts.length
      const condition = '--for=condition=Ready'
      const count = async () =>
        (await world.kubectl('get', 'hosts', '--output=name')).split('\n').filter(Boolean).length === all
      await eventually(`${all} hosts in the inventory`, count, 20_000)
      await world.kubectl('wait', condition, 'hosts', '--all', '--timeout=20s')
      const table = await world.kubectl('get', 'hosts')
      expectThat(table.split('\n').length === all + 1, `${all} hosts`, table)
      return `$ kubectl get hosts\n${table}`
    },
  },
  {
    title: 'A sysctl changes on every worker, and on no other host',
    run: async (world) => {
      const key = 'net.ipv4.ip_forward'
      await readBack(world, workers(world), ['sysctl', '-n', key], '0')
      const shown = await request(world, 'forwarding', 'SUCCESS')
      const changed = await readBack(world, workers(world), ['sysctl', '-n', key], '1')
      return [shown, changed, await readBack(world, ['control-plane'], ['sysctl', '-n', key], '0')].join('\n')
    },
  },
  {
    title: 'One host gets another host name',
    run: async (world) => {
      const shown = await request(world, 'hostname', 'SUCCESS')
      const changed = await readBack(world, ['worker-1'], ['hostnamectl', '--static'], 'edge-1')
      return [shown, changed, await readBack(world, ['worker-2'], ['hostnamectl', '--static'], 'worker-2')].join('\n')
    },
  },
  {
    title: 'A service starts on every worker',
    run: async (world) => {
      await readBack(world, workers(world), ['systemctl', 'is-active', 'nginx'], 'inactive')
      const shown = await request(world, 'nginx-service', 'SUCCESS')
      const active = await readBack(world, workers(world), ['systemctl', 'is-active', 'nginx'], 'active')
      return [
        shown,
        active,
        await readBack(world, workers(world), ['systemctl', 'is-enabled', 'nginx'], 'enabled'),
      ].join('\n')
    },
  },
  {
    title: 'A receiver that knows nothing of Keelson gets its request, over plain HTTP',
    run: async (world) => {
      const shown = await request(world, 'web-check', 'SUCCESS')
      return [
        shown,
        await readBack(world, workers(world), ['wc', '-l', '/var/log/nginx/access.log'], '1 /var/log/nginx/access.log'),
      ].join('\n')
    },
  },
  {
    title: 'A canary goes first: where it fails, no other host gets the request',
    run: async (world) => {
      const shown = await request(world, 'canary', 'ERROR')
      const counts = await world.kubectl('get', 'hostrequest', 'canary', '--output=jsonpath={.status.counts}')
      const { failed, skipped } = JSON.parse(counts) as { failed: number; skipped: number }
      expectThat(failed === 1 && skipped === workers(world).length - 1, 'one host failed, the others skipped', counts)
      return `${shown}\n${counts}`
    },
  },
  {
    title: 'Equal answers are told once',
    run: async (world) => {
      const shown = await request(world, 'who-forwards', 'SUCCESS')
      const row = '{.count} × HTTP {.code} {.body}    {.sample}{"\\n"}'
      const output = `--output=jsonpath={range .status.answers[*]}${row}{end}`
      const answers = await world.kubectl('get', 'hostrequest', 'who-forwards', output)
      const counts = answers.split('\n').map((line) => line.split(' ')[0])
      expectThat(
        counts.join() === `${workers(world).length},1`,
        'one answer of the workers, one of the others',
        answers,
      )
      return `${shown}\n${answers}`
    },
  },
  {
    title: 'A host that is away is skipped, and named',
    run: async (world) => {
      const away = world.host('worker-2')
      await away.read(['systemctl', 'stop', 'kubelet.service'])
      await world.kubectl('wait', '--for=condition=Online=False', 'host/worker-2', '--timeout=40s')
      const shown = await request(world, 'host-names', 'SUCCESS')
      expectThat(shown.includes('skipped: worker-2 (offline)'), 'worker-2 named as skipped', shown)
      await away.read(['systemctl', 'start', 'kubelet.service'])
      await world.kubectl('wait', '--for=condition=Online', 'host/worker-2', '--timeout=20s')
      return `$ systemctl stop kubelet    # in worker-2\n${shown}`
    },
  },
  {
    title: 'A mistyped name stops the whole request',
    run: async (world) => {
      const shown = await request(world, 'typo', 'ERROR')
      expectThat(shown.includes('wroker-2'), 'the unknown name', shown)
      return [shown, await readBack(world, ['worker-1'], ['sysctl', '-n', 'net.ipv4.ip_forward'], '1')].join('\n')
    },
  },
  {
    title: 'The API server refuses what means something to a shell',
    run: async (world) => {
      const { exitCode, stderr } = await world.cluster.kubectl([
        'apply',
        '--filename',
        join(examples, 'injection.yaml'),
      ])
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
    run: async (world) => {
      await world.kubectl('apply', '--filename', join(examples, 'tenant-rights.yaml'))
      const tenant = '--as=system:serviceaccount:default:tenant'
      const asTenant = (...args: readonly string[]) => world.cluster.kubectl([...args, tenant])
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
    run: async (_, web) => {
      const { inside } = web
      const page = await fetch(inside)
      const session = await fetch(new URL('/api/session', inside), { headers: { 'sec-fetch-site': 'same-origin' } })
      const { bootstrapOpen } = (await session.json()) as { bootstrapOpen?: boolean }
      expectThat(
        page.ok && bootstrapOpen === true,
        'its pages, and nobody with an account',
        `${page.status}, ${session.status}`,
      )
      return `${web.url}\n${await web.bootstrapLink()}`
    },
  },
]

/** Shows the steps one after another; false, with the step named, as soon as one does not show what it should. */
export async function runSteps(world: World, web: ConsoleProcess): Promise<boolean> {
  for (const [index, { title, run }] of steps.entries()) {
    console.log(`\n── ${index + 1} of ${steps.length}: ${title}`)
    try {
      console.log(await run(world, web))
    } catch (error) {
      console.log(`FAILED: step ${index + 1}, ${title}\n${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }
  console.log(`\nAll ${steps.length} steps showed what they should.`)
  return true
}
