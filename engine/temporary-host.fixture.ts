import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { System } from './system.ts'

/** A host for a test: a folder that stands for `/`, with the files and programs that the test puts there. */
export class TemporaryHost implements AsyncDisposable {
  readonly system: System

  private constructor(system: System) {
    this.system = system
  }

  static async create(files: Readonly<Record<string, string | Buffer>> = {}): Promise<TemporaryHost> {
    const host = new TemporaryHost(new System(await mkdtemp(join(tmpdir(), 'keelson-host-'))))
    for (const [path, content] of Object.entries(files)) await host.write(path, content)
    return host
  }

  async write(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    const target = this.system.path(path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content)
    await chmod(target, mode)
  }

  async text(path: string): Promise<string> {
    return readFile(this.system.path(path), 'utf8')
  }

  /** An executable of the host: a shell script, in which `$root` is the host's root folder. */
  async program(path: string, script: string): Promise<void> {
    await this.write(path, `#!/bin/sh\nroot='${this.system.root}'\n${script}\n`, 0o755)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.system.root, { recursive: true, force: true })
  }
}
