import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, contentKey } from '../cache.ts'
import { report, withEstimate } from '../progress.ts'
import { findGo, goBuild } from './go.ts'
import { programSets, type ProgramSet, type ProgramSetName } from './modules.ts'

const topic = 'programs'

/** The folder that holds the programs of a set, each by its name: from the cache, else built from source with the versions pinned in the set's go.mod. */
export async function programs(name: ProgramSetName): Promise<string> {
  const set: ProgramSet = programSets[name]
  const module = join(import.meta.dirname, set.module)
  // go.mod and go.sum; and the sources, for a program of the tree itself.
  const files = (await readdir(module)).toSorted()
  const contents = await Promise.all(files.map((file) => readFile(join(module, file))))
  const flags = linkFlags(set, await moduleVersion(name))
  const paths = Object.values(set.programs).map(({ path }) => path)
  const key = contentKey(...files, ...contents, ...flags, ...paths)
  return cached(`programs-${name}`, key, (directory) => oneAtATime(() => build({ name, module, flags, directory })))
}

/** The version, without its `v`, of the Go module that a set is built from; undefined for programs of the tree itself. */
export async function moduleVersion(name: ProgramSetName): Promise<string | undefined> {
  const { module, versionOf }: ProgramSet = programSets[name]
  if (versionOf === undefined) return undefined
  return requiredVersion(join(import.meta.dirname, module, 'go.mod'), versionOf)
}

/** The version, without its `v`, in which a go.mod file requires a Go module. Throws if it does not. */
export async function requiredVersion(file: string, module: string): Promise<string> {
  const line = (await readFile(file, 'utf8')).split('\n').find((text) => text.trim().startsWith(`${module} v`))
  if (line === undefined) throw new Error(`${file} names no version of ${module}`)
  return line
    .trim()
    .slice(module.length + 2)
    .split(' ')[0]!
}

function linkFlags({ tags, stamps }: ProgramSet, version: string | undefined): string[] {
  const variables = version === undefined ? {} : (stamps?.(version) ?? {})
  const set = Object.entries(variables).map(([name, value]) => ` -X ${name}=${value}`)
  return [...(tags === undefined ? [] : ['-tags', tags]), '-ldflags', `-s -w${set.join('')}`]
}

let last: Promise<unknown> = Promise.resolve()

/** Two builds at once need more memory and are no faster on two cores. */
async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const next = last.then(work)
  last = next.catch(() => {})
  return next
}

type Build = {
  readonly name: ProgramSetName
  readonly module: string
  readonly flags: readonly string[]
  readonly directory: string
}

async function build({ name, module, flags, directory }: Build): Promise<void> {
  const set: ProgramSet = programSets[name]
  const entries = Object.entries(set.programs)
  const total = entries.reduce((sum, [, { seconds }]) => sum + seconds, 0)
  const version = await moduleVersion(name)
  const of = version === undefined ? '' : ` ${version}`
  report(topic, `${name}${of}: building ${entries.length} from source, once: about ${total} s`)
  const go = await findGo()
  for (const [index, [program, { path, seconds }]] of entries.entries())
    await withEstimate(topic, `${program} (${index + 1} of ${entries.length})`, seconds, () =>
      goBuild(go, { module, path, flags, output: join(directory, program) }),
    )
}
