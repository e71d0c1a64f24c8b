import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { CertificateAuthority } from '@keelson/testbed'
import { pino } from 'pino'
import { CertificateFolder } from '../certificate-folder.ts'
import { verifyCertificate } from '../verify.ts'
import { HostFiles } from './host-files.ts'
import { hostPaths, type HostPaths } from './host-paths.ts'
import type { HostPrograms } from './host-programs.ts'
import { Installer, type ClusterSide, type InstallerOptions } from './installer.ts'

const port = 7117
let addresses = 0
let shared: CertificateAuthority | undefined

/** What an agent does once it is started. */
export type Behaviour = 'good' | 'exits' | 'silent' | 'tells another version' | 'tells and does not listen'

/** The installer is ended at a point of its work. */
export class Cut extends Error {}

/**
 * A host of a temporary folder: files are real, the agent is a TLS server of this process with the certificate in its folder, and systemctl is a stand-in that knows
 * what the installer asks of it, with systemd's rule that a unit is as it was loaded.
 */
export class TestHost implements AsyncDisposable {
  readonly root: string
  readonly paths: HostPaths
  readonly address: string
  readonly authority: CertificateAuthority
  nodeUid = 'node-uid-1'
  /** Fails what the cluster is asked for. */
  clusterFault: Error | undefined
  enrolments = 0
  /** Calls of systemctl that change something. */
  readonly calls: string[] = []
  readonly #images: string
  #loaded: string | undefined
  #failed = false
  #agent: Server | undefined
  #pid = 100
  #cutAt = Infinity
  #steps = 0

  private constructor(root: string, images: string, authority: CertificateAuthority) {
    this.root = root
    this.#images = images
    this.paths = hostPaths(root)
    this.authority = authority
    addresses += 1
    this.address = `127.${200 + ((process.pid >> 8) % 50)}.${process.pid % 256}.${addresses}`
  }

  static async create(): Promise<TestHost> {
    const [root, images] = await Promise.all(
      ['host', 'images'].map((name) => mkdtemp(join(tmpdir(), `keelson-${name}-`))),
    )
    for (const folder of ['etc/systemd/system', 'opt', 'run', 'var/lib'])
      await mkdir(join(root!, folder), { recursive: true })
    shared ??= await CertificateAuthority.create('agents')
    return new TestHost(root!, images!, shared)
  }

  /** An image's folder with that version of an agent. */
  async image(version: string, behaviour: Behaviour = 'good'): Promise<string> {
    const folder = join(this.#images, `${version}-${behaviour}`)
    const files = {
      'bin/node': 'node',
      'keelson.mjs': behaviour,
      'lib/part.mjs': `part of ${version}`,
      'lib/deep/part.mjs': 'deep',
      'systemd/keelson-agent.service': `[Unit]\nDescription=${version}\n`,
      version: `${version}\n`,
      'pages/index.html': 'not for hosts',
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(folder, path, '..'), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    return folder
  }

  installer(image: string, changes: Partial<InstallerOptions> = {}): Installer {
    return new Installer({
      ...{ image, hostRoot: this.root, name: 'node1', address: this.address, port, logger: pino({ enabled: false }) },
      ...{ cluster: this.#cluster, programs: this.programs, files: this.files },
      patience: { timeoutMs: 200, steadyMs: 20, pollMs: 5 },
      ...changes,
    })
  }

  /** Ends the installer before its step of that number, counted from now. */
  cutAt(step: number): void {
    this.#steps = 0
    this.#cutAt = step
  }

  /** As many as were taken since `cutAt`. */
  get steps(): number {
    return this.#steps
  }

  /** HostFiles, of which each call is a step. */
  get files(): HostFiles {
    return new Proxy(new HostFiles(), {
      get:
        (target, name: keyof HostFiles) =>
        (...args: never[]) => {
          this.#step()
          return (target[name] as (...all: never[]) => unknown)(...args)
        },
    })
  }

  readonly programs: HostPrograms = async ([program, ...args]) => {
    if (program !== '/usr/bin/systemctl') return { exitCode: 127, stdout: '', stderr: `${program}: not found` }
    const [verb] = args.filter((arg) => !arg.startsWith('--'))
    if (verb !== 'show' && verb !== 'is-enabled') {
      this.#step()
      this.calls.push(args.filter((arg) => arg !== '--').join(' '))
    }
    return { exitCode: 0, stdout: '', stderr: '', ...(await this.#systemctl(verb!)) }
  }

  readonly #cluster: ClusterSide = {
    nodeUidAtHand: async () => this.nodeUid,
    trust: async () => {
      if (this.clusterFault) throw this.clusterFault
      return { bundle: this.authority.certificate, nodeUid: this.nodeUid }
    },
    enrol: async ({ nodeUid, folder: path, replace }) => {
      if (this.clusterFault) throw this.clusterFault
      this.#step()
      const folder = new CertificateFolder(path)
      const bundle = this.authority.certificate
      const present = await folder.installed()
      try {
        if (present === undefined || replace) throw new Error('none')
        verifyCertificate({ ...present, bundle }, { name: 'node1', nodeUid }, new Date())
        return 'Present'
      } catch {
        this.enrolments += 1
        const { certificate, key } = await this.issue(nodeUid!)
        await folder.discard()
        await folder.pendingKey(() => key)
        await folder.install({ certificate, bundle })
        return 'Enrolled'
      }
    },
  }

  async issue(nodeUid: string, notAfter?: Date): Promise<{ readonly certificate: string; readonly key: string }> {
    const subject = `CN=node1,2.5.4.5=${nodeUid}`
    return this.authority.issue({ subject, dnsNames: ['node1'], usages: ['server'], ...(notAfter ? { notAfter } : {}) })
  }

  #step(): void {
    this.#steps += 1
    if (this.#steps >= this.#cutAt) throw new Cut()
  }

  async #systemctl(verb: string): Promise<{ exitCode?: number; stdout?: string; stderr?: string }> {
    const text = await readFile(this.paths.unit, 'utf8').catch(() => undefined)
    const wants = join(this.root, 'etc/systemd/system/multi-user.target.wants')
    const link = join(wants, 'keelson-agent.service')
    switch (verb) {
      case 'show': {
        const active = this.#agent !== undefined ? 'active' : this.#failed ? 'failed' : 'inactive'
        const lines = {
          ...{ LoadState: (this.#loaded ?? text) === undefined ? 'not-found' : 'loaded', ActiveState: active },
          ...{ SubState: 'x', Result: this.#failed ? 'exit-code' : 'success', ExecMainStatus: '1' },
          MainPID: String(this.#agent === undefined ? 0 : this.#pid),
          NeedDaemonReload: this.#loaded !== undefined && this.#loaded !== text ? 'yes' : 'no',
        }
        return {
          stdout: Object.entries(lines)
            .map(([key, value]) => `${key}=${value}\n`)
            .join(''),
        }
      }
      case 'is-enabled': {
        const enabled = await lstat(link).then(
          () => true,
          () => false,
        )
        return enabled ? { stdout: 'enabled\n' } : { exitCode: 1, stdout: 'disabled\n' }
      }
      case 'enable':
        await mkdir(wants, { recursive: true })
        await symlink('/etc/systemd/system/keelson-agent.service', link)
        return {}
      case 'disable':
        await rm(wants, { recursive: true })
        return {}
      case 'daemon-reload':
        this.#loaded = text
        return {}
      case 'reset-failed':
        this.#failed = false
        return {}
      case 'stop':
        await this.stopAgent()
        return {}
      case 'start':
      case 'restart':
        this.#loaded ??= text
        if (this.#loaded === undefined) return { exitCode: 5, stderr: 'Unit keelson-agent.service not found.' }
        await this.stopAgent()
        return (await this.#startAgent()) ? {} : { exitCode: 1, stderr: 'Job failed.' }
      default:
        return { exitCode: 1, stderr: `Unknown command verb ${verb}.` }
    }
  }

  async #startAgent(): Promise<boolean> {
    this.#failed = true
    const { current, certificates, config, runtime, running } = this.paths
    const read = (path: string) => readFile(path, 'utf8').catch(() => '')
    const behaviour = (await read(join(current, 'keelson.mjs'))) as Behaviour | ''
    const [cert, key, settings] = await Promise.all(
      [join(certificates, 'tls.crt'), join(certificates, 'tls.key'), config].map(read),
    )
    if (behaviour === 'exits' || [behaviour, cert, key, settings].includes('')) return false
    this.#failed = false
    this.#pid += 1
    this.#agent = createServer({ cert: cert!, key: key! }, (socket) => socket.on('error', () => {}).end())
    this.#agent.on('tlsClientError', () => {})
    if (behaviour !== 'tells and does not listen') {
      this.#agent.listen(port, this.address)
      await once(this.#agent, 'listening')
    }
    if (behaviour === 'silent') return true
    const version = behaviour === 'tells another version' ? '9.9.9' : (await read(join(current, 'version'))).trim()
    await mkdir(runtime, { recursive: true })
    await writeFile(running, JSON.stringify({ version, pid: this.#pid, address: this.address, port }))
    return true
  }

  async stopAgent(): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    if (agent?.listening === true) {
      const closed = once(agent, 'close')
      agent.close()
      await closed
    }
    await rm(this.paths.runtime, { recursive: true, force: true })
  }

  get runs(): boolean {
    return this.#agent !== undefined
  }

  /** A boot: what is enabled starts. */
  async reboot(): Promise<void> {
    await this.stopAgent()
    this.#loaded = await readFile(this.paths.unit, 'utf8').catch(() => undefined)
    this.#failed = false
    if (this.#loaded !== undefined && (await this.#systemctl('is-enabled')).stdout === 'enabled\n')
      await this.#startAgent()
  }

  /** The version that the agent says it is. */
  async version(): Promise<string | undefined> {
    const text = await readFile(this.paths.running, 'utf8').catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as { version: string }).version
  }

  async versions(): Promise<string[]> {
    return (await readdir(this.paths.versions).catch((): string[] => [])).toSorted()
  }

  /** Every path with its kind, mode, content and, where asked for, when it was changed. */
  async listing({ times = false } = {}): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    const walk = async (folder: string): Promise<void> => {
      for (const entry of (await readdir(join(this.root, folder), { withFileTypes: true })).toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      )) {
        const path = join(folder, entry.name)
        const full = join(this.root, path)
        const { mode, mtimeNs, ctimeNs, ino } = await lstat(full, { bigint: true })
        const content = entry.isDirectory()
          ? ''
          : entry.isSymbolicLink()
            ? await readlink(full)
            : createHash('sha256')
                .update(await readFile(full))
                .digest('hex')
                .slice(0, 8)
        found[path] = [mode.toString(8), content, ...(times ? [mtimeNs, ctimeNs, ino] : [])].join(' ')
        if (entry.isDirectory()) await walk(path)
      }
    }
    await walk('')
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent()
    await Promise.all([this.root, this.#images].map((folder) => rm(folder, { recursive: true })))
  }
}
