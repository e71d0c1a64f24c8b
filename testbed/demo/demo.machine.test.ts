import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { mustRun, runCommand } from '../command.ts'
import { Demo } from './demo.fixture.ts'
import { leftovers, takeTraces } from './traces.ts'

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

describe('make demo', () => {
  test('makes a cluster of bare hosts and installs Keelson, can be looked at from outside, and leaves nothing behind at Ctrl-C', async () => {
    const before = await takeTraces('no run yet')
    const demo = new Demo(directory, ['make', 'demo'])
    await demo.says('It stays up until Ctrl-C', 240_000)
    expect(demo.output).toContain('All 16 steps showed what they should.')

    const kubectl = join(await controlPlaneBinaries(), 'kubectl')
    const environment = { KUBECONFIG: join(directory, 'kubeconfig'), HOME: directory }
    const nodes = await mustRun([kubectl, 'get', 'nodes', '--output=name'], { env: environment })
    expect(nodes.stdout.trim().split('\n')).toEqual(['node/control-plane', 'node/worker-1', 'node/worker-2'])
    expect(await readFile(environment.KUBECONFIG, 'utf8')).toMatch(/server: https:\/\/127\.0\.0\.1:\d+/)
    const [, console = ''] = /in a browser of this machine: (\S+)/.exec(demo.output) ?? []
    expect(await (await fetch(console)).text()).toContain('<title>Keelson</title>')

    const shell = (host: string, command: string) =>
      runCommand(['make', '--silent', 'shell', `HOST=${host}`, `CMD=${command}`], {
        cwd: tree,
        env: { KEELSON_DEMO_DIRECTORY: directory },
      })
    expect((await shell('worker-1', 'hostname; systemctl is-system-running')).stdout).toBe('edge-1\nrunning\n')
    expect((await shell('worker-1', 'exit 7')).exitCode).not.toBe(0)
    expect((await shell('worker-9', 'true')).stderr).toContain('No host worker-9')

    demo.pressCtrlC()
    await demo.ended()
    expect(await leftovers(before, demo.tag)).toEqual(nothing)
    expect((await shell('worker-1', 'true')).stderr).toContain('No demo is up')
  })
})

describe('make demo LIGHT=1', () => {
  test('with CHECK=1 ends by itself, with exit 0 when every step showed what it should, on as many hosts as asked for', async () => {
    const before = await takeTraces('no run yet')
    const demo = new Demo(directory, ['make', 'demo', 'LIGHT=1', 'HOSTS=4'], { CHECK: '1' })
    expect([await demo.ended(), demo.output]).toEqual([0, demo.output])
    expect(demo.output).toContain('All 13 steps showed what they should.')
    expect(demo.output).toContain('worker-3')
    expect(await leftovers(before, demo.tag)).toEqual(nothing)
  })

  test('names the failing step when the agent of worker-2 is stopped', async () => {
    const demo = Demo.light(directory, { CHECK: '1' }, '--without-agent=worker-2')
    expect(await demo.ended()).toBe(1)
    expect(demo.output).toContain('FAILED: step 1, Every Node has a Host, and every agent answers')
    expect(demo.output).toContain('worker-2')
  })

  const moments: Readonly<Record<string, (demo: Demo) => Promise<void>>> = {
    'when it begins': (demo) => demo.says('starting a control plane'),
    'when the capsule is sealed': (demo) => demo.runs('tini'),
    'when the hosts boot': (demo) => demo.runs('systemd-nspawn'),
    'when the steps run': (demo) => demo.says('── 1 of '),
  }

  test.each(Object.entries(moments))('leaves nothing behind when its starter is killed %s', async (_, moment) => {
    const before = await takeTraces('no run yet')
    const demo = Demo.light(directory)
    await moment(demo)
    await demo.kill()
    expect(await leftovers(before, demo.tag)).toEqual(nothing)
  })
})
