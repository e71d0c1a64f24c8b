import { readdir, readFile, mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cached, contentKey } from '../cache.ts'
import { dyingWithStarter, mustRun } from '../command.ts'
import { withEstimate } from '../progress.ts'

const basePackages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'libpam-systemd', 'tzdata'],
  ...['procps', 'kmod', 'iproute2', 'curl', 'ca-certificates', 'libstdc++6'],
]

const bootstrap = [
  ...['mmdebstrap', '--mode=root', '--variant=minbase', '--format=directory', `--include=${basePackages.join(',')}`],
  ...['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
]

/**
 * A mount namespace and a process tree of its own, but the machine's network: what a package's scripts mount or start ends with the
 * build, and all of it with this process, however that ends.
 */
export const buildBox = [
  ...dyingWithStarter,
  ...['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
]

export const layerTimeoutMs = 1_800_000

/** The files of apt's configuration that name the release which this machine itself runs. */
async function debianSources(): Promise<{ release: string; files: string[] }> {
  const release = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1]
  if (release === undefined)
    throw new Error('/etc/os-release names no VERSION_CODENAME: the host layers are made on Debian')
  const folder = '/etc/apt/sources.list.d'
  const candidates = [
    '/etc/apt/sources.list',
    ...(await readdir(folder).catch((): string[] => [])).toSorted().map((name) => join(folder, name)),
  ]
  const files: string[] = []
  for (const file of candidates.filter((name) => /\.(list|sources)$/.test(name))) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (new RegExp(`^(deb|Suites:)(\\s.*)?\\s${release}(\\s|$)`, 'm').test(text)) files.push(file)
  }
  if (files.length === 0)
    throw new Error(`No file of ${folder} names the release ${release}: apt's sources are needed to build the hosts`)
  return { release, files }
}

/** A minimal Debian with systemd, of the release that the machine runs. */
export async function baseLayer(): Promise<string> {
  const { release, files } = await debianSources()
  return cached('layer-base', contentKey(release, ...bootstrap), (directory) =>
    withEstimate('hosts', 'base layer of the hosts', 60, async () => {
      const argv = [...buildBox, ...bootstrap, release, join(directory, 'root'), ...files]
      await mustRun(argv, { timeoutMs: layerTimeoutMs })
    }),
  )
}

const nginxConfiguration = `# One access log line a request; the body names the host.
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 256; }
http {
  access_log /var/log/nginx/access.log;
  default_type text/plain;
  server {
    listen 8080;
    location / { return 200 "$hostname\\n"; }
    location = /broken { return 500 "broken on purpose\\n"; }
  }
}
`

type PackageLayer = {
  readonly kind: string
  /** Entries of the cache that it lies on, the uppermost first. */
  readonly below: readonly string[]
  readonly packages: readonly string[]
  /** Units that stay off at boot. */
  readonly disable?: readonly string[]
  /** For whoever waits, in seconds. */
  readonly estimate: number
  /** Files that go over those of the packages, by their path in the host. */
  readonly files?: Readonly<Record<string, string>>
}

/** Debian packages over other layers. What lies on it must not have been built without it: the package database is one file, and the upper one hides it. */
export async function packageLayer(layer: PackageLayer): Promise<string> {
  const { kind, below, packages, disable = [], files = {}, estimate } = layer
  const script = join(import.meta.dirname, 'install-packages.ts')
  const parts = [below.map((path) => basename(path)), packages, disable, files]
  return cached(`layer-${kind}`, contentKey(JSON.stringify(parts), await readFile(script)), (directory) =>
    withEstimate('hosts', `${kind} layer of the hosts`, estimate, async () => {
      const argv = [
        ...[...buildBox, process.execPath, script, `--directory=${directory}`],
        ...below.map((path) => `--lower=${join(path, 'root')}`),
        ...disable.map((unit) => `--disable=${unit}`),
      ]
      await mustRun([...argv, ...packages], { timeoutMs: layerTimeoutMs })
      for (const [path, text] of Object.entries(files)) await writeFile(join(directory, 'root', path), text)
    }),
  )
}

/** nginx on port 8080, off until it is started: a service to manage and a receiver that knows nothing of Keelson. */
export async function webLayer(base: string): Promise<string> {
  return packageLayer({
    kind: 'web',
    below: [base],
    packages: ['nginx-light'],
    disable: ['nginx.service'],
    files: { '/etc/nginx/nginx.conf': nginxConfiguration },
    estimate: 20,
  })
}

/** Files over the others, as an installer would put them; the key is made of their content. */
export async function fileLayer(kind: string, key: string, write: (root: string) => Promise<void>): Promise<string> {
  return cached(`layer-${kind}`, key, async (directory) => {
    const root = join(directory, 'root')
    await mkdir(root)
    await write(root)
  })
}
