import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { Cluster } from '../cluster/cluster.ts'
import { runCommand } from '../command.ts'
import { controlPlaneBinaries } from '../control-plane/binaries.ts'
import { imageArchive } from '../images/keelson-image.ts'
import { programs } from '../programs/programs.ts'
import { clusterBlocks, tree } from './documents.ts'

let cluster: Cluster
let folder: string
beforeAll(async () => {
  cluster = await Cluster.boot()
  // In place of the registry from which a reader's hosts pull it.
  await cluster.loadImage(await imageArchive())
  folder = join(cluster.directory, 'bin')
  await mkdir(folder)
  await symlink(join(await controlPlaneBinaries(), 'kubectl'), join(folder, 'kubectl'))
  await symlink(join(await programs('helm'), 'helm'), join(folder, 'helm'))
  await writeFile(join(folder, 'ssh'), ssh(), { mode: 0o755 })
  return () => cluster[Symbol.asyncDispose]()
})

/** `ssh root@HOST COMMAND`, into a host of the test world. */
function ssh(): string {
  const quoted = (argument: string) => `'${argument.replaceAll("'", `'\\''`)}'`
  const cases = cluster.lab.hosts.map((host) => {
    const argv = host.enter(['/bin/bash', '-c']).map(quoted)
    return `root@${host.name}) exec ${argv.join(' ')} "$2";;`
  })
  return ['#!/bin/bash', 'case "$1" in', ...cases, '*) echo "no host $1" >&2; exit 255;;', 'esac', ''].join('\n')
}

/** An administrator's terminal in the checkout. */
async function inTerminal(text: string): Promise<{ exitCode: number; output: string }> {
  const env = {
    KUBECONFIG: cluster.adminKubeconfig,
    HOME: cluster.directory,
    PATH: `${folder}:${process.env['PATH']}`,
  }
  const argv = ['bash', '-euo', 'pipefail', '-c', text]
  const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: tree, env, timeoutMs: 600_000 })
  return { exitCode, output: stdout + stderr }
}

/** What some of the blocks are to show; the others are to succeed. */
const shows = new Map([
  ['readlink /opt/keelson/current', /^active\nversions\//],
  ['hostrequest who-forwards', /3 × /],
  ['hostrequest forwarding', /^SUCCESS: 2\/2[^]*net\.ipv4\.ip_forward = 1/m],
  ['grep bootstrap', /\/bootstrap#/],
  ['helm history', /deployed/],
  ['ls -d /opt/keelson', /(ls: cannot access .*\n){4}$/],
  ['grep keelson ||', /^nothing is left$/m],
])
const seen = new Set<string>()

test.each(clusterBlocks().map((block) => [block.place, block] as const))(
  '%s does what it says',
  async (_, { text }) => {
    const result = await inTerminal(text)
    expect(result).toEqual({ exitCode: 0, output: result.output })
    for (const [part, expected] of [...shows].filter(([each]) => text.includes(each))) {
      seen.add(part)
      expect(result.output).toMatch(expected)
    }
  },
)

test('everything that was to be shown was', () => {
  expect([...shows.keys()].filter((part) => !seen.has(part))).toEqual([])
})
