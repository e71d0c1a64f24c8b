import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { mustRun, runCommand } from '../command.ts'
import { eventually } from '../deadline.ts'
import { Demo } from './demo.fixture.ts'
import { differences, takeTraces, type Traces } from './traces.ts'

const tree = resolve(import.meta.dirname, '../..')

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keelson-demo-test-'))
  return () => rm(directory, { recursive: true, force: true })
})

const nothing = {
  processes: [],
  mounts: [],
  missingMounts: [],
  cgroups: [],
  networkNamespaces: [],
  listeningSockets: [],
}

/** What is left of a run five seconds after its end, or as soon as nothing is. */
async function leftovers(before: Traces, tag: string): Promise<Record<string, string[]>> {
  const look = async () => differences(before, await takeTraces(tag))
  const isClean = async () => Object.values(await look()).every((list) => list.length === 0)
  await eventually('the machine is as before', isClean, 5_000).catch(() => {})
  return look()
}

describe('make demo CHECK=1', () => {
  test('ends by itself with exit 0 when every step showed what it should', async () => {
    const demo = new Demo(directory, ['make', 'demo'], { CHECK: '1' })
    expect(await demo.ended()).toBe(0)
    expect(demo.output).toContain('All 12 steps showed what they should.')
  })

  test('names the failing step when the agent of worker-2 is stopped', async () => {
    const demo = Demo.check(directory, '--without=agent:worker-2')
    expect(await demo.ended()).toBe(1)
    expect(demo.output).toContain('FAILED: step 1, Every Node has a Host, and every agent answers')
    expect(demo.output).toContain('worker-2')
  })

  test('names the failing step when there is no operator', async () => {
    const demo = Demo.check(directory, '--without=operator')
    expect(await demo.ended()).toBe(1)
    expect(demo.output).toContain('FAILED: step 1, Every Node has a Host, and every agent answers')
  })
})

describe('a demo that is up', () => {
  test('can be looked at from another terminal, has as many hosts as asked for, and leaves nothing behind at Ctrl-C', async () => {
    const before = await takeTraces('no run yet')
    const demo = new Demo(directory, ['make', 'demo', 'HOSTS=6'])
    await demo.says('It stays up until Ctrl-C')

    const kubectl = join(await controlPlaneBinaries(), 'kubectl')
    const environment = { KUBECONFIG: join(directory, 'kubeconfig'), HOME: directory }
    const hosts = await mustRun([kubectl, 'get', 'hosts', '--output=name'], { env: environment })
    expect(hosts.stdout.trim().split('\n')).toHaveLength(6)
    expect(await readFile(join(directory, 'kubeconfig'), 'utf8')).toMatch(/server: https:\/\/127\.0\.0\.1:\d+/)

    const shell = (host: string, command: string) =>
      runCommand(['make', '--silent', 'shell', `HOST=${host}`, `CMD=${command}`], {
        cwd: tree,
        env: { KEELSON_DEMO_DIRECTORY: directory },
      })
    expect((await shell('worker-5', 'hostname; systemctl is-system-running')).stdout).toBe('worker-5\nrunning\n')
    expect((await shell('worker-1', 'exit 7')).exitCode).not.toBe(0)
    expect((await shell('worker-9', 'true')).stderr).toContain('No host worker-9')

    demo.pressCtrlC()
    await demo.ended()
    expect(await leftovers(before, demo.tag)).toEqual(nothing)
    expect((await shell('worker-1', 'true')).stderr).toContain('No demo is up')
  })

  const moments: Readonly<Record<string, (demo: Demo) => Promise<void>>> = {
    'when it begins': (demo) => demo.says('starting a control plane'),
    'when the capsule is sealed': (demo) => demo.runs('tini'),
    'when the API server starts': (demo) => demo.runs('kube-apiserver'),
    'when the hosts boot': (demo) => demo.runs('systemd-nspawn'),
    'when the steps run': (demo) => demo.says('── 2 of '),
  }

  test.each(Object.entries(moments))('leaves nothing behind when its starter is killed %s', async (_, moment) => {
    const before = await takeTraces('no run yet')
    const demo = Demo.start(directory)
    await moment(demo)
    await demo.kill()
    expect(await leftovers(before, demo.tag)).toEqual(nothing)
  })
})
