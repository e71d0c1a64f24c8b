import { constants } from 'node:fs'
import { access, chmod, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../atomic-file.ts'
import { errnoOf, fileError, ResourceError } from '../resource-error.ts'
import type { Change, Fields, ResourceType } from '../resource-type.ts'
import type { System } from '../system.ts'
import { mergeSysctlLines, persistedValues, sysctlFile } from './sysctl-file.ts'
import { parseSysctlKey, type SysctlKey } from './sysctl-key.ts'

const maxKeys = 64
const maxValueLength = 1024

/** `parameter` is the spelling of whoever asked, to be named in errors: the query's `key`, or the key itself in a body. */
type Requested = SysctlKey & { readonly parameter: string }
type Subject = { readonly keys: readonly Requested[] }
type Desired = Subject & { readonly values: ReadonlyMap<string, string> }

type Setting = Requested & {
  readonly running: string
  /** In Keelson's own file; what other files say is not looked at. */
  readonly persisted: string | undefined
  readonly writable: 'yes' | 'no' | 'read-only file system'
}
type State = { readonly keys: readonly Setting[] }

const keyGrammar =
  'a key is separated by dots (net.ipv4.conf.eth0/100.rp_filter) or by slashes (net/ipv4/conf/eth0.100/rp_filter), without ' +
  'empty segments, . or .., and has at most 253 characters'

/** The key that `text` names; where it may not be asked for, an issue on `parameter` and `undefined`. */
function requested(text: string, parameter: string, context: z.RefinementCtx): Requested | undefined {
  const key = parseSysctlKey(text)
  const refuse = (code: string, message: string): undefined => {
    context.addIssue({ code: 'custom', message, params: { code }, path: [parameter], input: undefined })
    return undefined
  }
  if (key === undefined) return refuse('KeyRefused', `not a kernel parameter: ${keyGrammar}`)
  // It would go round the check that keeps a Node from being renamed, and /etc/hostname would undo it at boot.
  if (key.name === 'kernel.hostname') return refuse('KeyRefused', 'kernel.hostname belongs to the type hostname')
  return { ...key, parameter }
}

const Query = z.strictObject({ key: z.string() }).transform(({ key: text }, context): Subject => {
  const key = requested(text, 'key', context)
  return { keys: key ? [key] : [] }
})

// oxlint-disable-next-line no-control-regex -- these are refused: a newline would be another line of the file
const controlCharacter = /[\u0000-\u0008\u000a-\u001f\u007f]/

const Body = z.record(z.string(), z.string()).transform((parameters, context): Desired => {
  const keys: Requested[] = []
  const values = new Map<string, string>()
  const refuse = (parameter: string, code: string, message: string): void => {
    context.addIssue({ code: 'custom', message, params: { code }, path: [parameter], input: undefined })
  }
  for (const [parameter, value] of Object.entries(parameters)) {
    const key = requested(parameter, parameter, context)
    if (key === undefined) continue
    if (values.has(key.name)) refuse(parameter, 'KeyRepeated', `${key.name} is given twice, in two spellings`)
    if (value.length > maxValueLength) {
      refuse(parameter, 'ValueRefused', `a value has at most ${maxValueLength} characters`)
    }
    if (controlCharacter.test(value) || !value.isWellFormed()) {
      refuse(parameter, 'ValueRefused', 'a value is Unicode text without control characters except tab')
    }
    keys.push(key)
    values.set(key.name, value.trim())
  }
  if (keys.length === 0 || keys.length > maxKeys) {
    const message = `a request sets 1 to ${maxKeys} keys`
    context.addIssue({ code: 'custom', message, params: { code: 'KeyCountRefused' }, input: undefined })
  }
  // Sorted as in the file: some keys set others (net.ipv4.ip_forward does), and the order of a boot must give the same as the order now.
  return { keys: keys.toSorted((a, b) => (a.name < b.name ? -1 : 1)), values }
})

/** A kernel parameter below /proc/sys: sysctl(8), sysctl.d(5). GET `key=K`; POST `{"K": "value", …}`; fields `K` and `K (persisted)`. */
export const sysctl: ResourceType<Subject, Desired, State> = {
  name: 'sysctl',
  version: 1,
  query: Query,
  body: Body,

  async read(system, { keys }) {
    const file = await system.readIfPresent(sysctlFile)
    const persisted = persistedValues(file ?? Buffer.alloc(0))
    const settings: Setting[] = []
    for (const key of keys) settings.push({ ...(await readSetting(system, key)), persisted: persisted.get(key.name) })
    return { keys: settings }
  },

  fields({ keys: settings }) {
    const fields: Record<string, string> = {}
    for (const { name, running, persisted } of settings) {
      fields[name] = running
      if (persisted !== undefined) fields[persistedField(name)] = persisted
    }
    return fields satisfies Fields
  },

  diff({ keys: settings }, { values }) {
    const changes: Change[] = []
    for (const { name, parameter, running, persisted, writable } of settings) {
      if (writable === 'no') {
        throw new ResourceError('parameter', 'KeyNotWritable', `${name} can only be read`, { field: parameter })
      }
      if (writable === 'read-only file system') {
        const message = `/proc/sys is mounted read-only where ${name} is: in a container the host's own parameters cannot be set`
        throw new ResourceError('act', 'ReadOnlyFileSystem', message, { field: parameter })
      }
      const wanted = values.get(name) ?? ''
      if (tokens(running) !== tokens(wanted)) changes.push({ field: name, from: running, to: wanted })
      if (persisted === undefined || tokens(persisted) !== tokens(wanted)) {
        changes.push({ field: persistedField(name), from: persisted ?? '', to: wanted })
      }
    }
    return changes
  },

  /**
   * The running kernel first, then the file: only the kernel knows whether a value is good (EINVAL), and one that it refuses must not come
   * back at every boot. Never `sysctl --system`: it would also undo what others (CNI plugins) have set since boot.
   */
  async apply(system, { desired: { keys, values }, changes }) {
    const changed = new Set(changes.map(({ field }) => field))
    const done: string[] = []
    for (const key of keys) {
      if (!changed.has(key.name)) continue
      await writeRunning(system, key, values.get(key.name) ?? '', done)
      done.push(key.name)
    }
    const unsaved = new Map([...values].filter(([name]) => changed.has(persistedField(name))))
    if (unsaved.size > 0) await persist(system, unsaved, done)
  },
}

function persistedField(name: string): string {
  return `${name} (persisted)`
}

/** The kernel prints several values with tabs between them and takes any white space. */
function tokens(value: string): string {
  return value.trim().replaceAll(/[ \t\n]+/g, '\t')
}

async function readSetting(system: System, key: Requested): Promise<Omit<Setting, 'persisted'>> {
  const path = `/proc/sys/${key.path}`
  const refuse = (code: string, message: string): ResourceError =>
    new ResourceError('parameter', code, message, { field: key.parameter })
  try {
    const found = await stat(system.path(path))
    if (found.isDirectory()) throw refuse('KeyUnknown', `${key.name} is a folder of kernel parameters, not one of them`)
    // The kernel asks these bits of root too. Such a key is an act (net.ipv4.route.flush), not a setting.
    if ((found.mode & 0o444) === 0)
      throw refuse('KeyNotReadable', `${key.name} can only be written, so it has no state to keep`)
    const running = (await system.read(path)).toString().trimEnd()
    return { ...key, running, writable: (found.mode & 0o222) === 0 ? 'no' : await writability(system.path(path)) }
  } catch (error) {
    if (error instanceof ResourceError) throw error
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      const hint = 'those of a kernel module or of an interface appear with it'
      throw refuse('KeyUnknown', `this host has no kernel parameter ${key.name}: ${hint}`)
    }
    throw fileError(path, error)
  }
}

async function writability(path: string): Promise<Setting['writable']> {
  try {
    await access(path, constants.W_OK)
    return 'yes'
  } catch (error) {
    return errnoOf(error) === 'EROFS' ? 'read-only file system' : 'no'
  }
}

const kernelRefusals: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ERANGE', 'EDOM', 'E2BIG'])

async function writeRunning(system: System, key: Requested, value: string, done: readonly string[]): Promise<void> {
  try {
    // Never created: what is not there is not a parameter. One write: the kernel takes each as a whole value.
    await using file = await open(system.path(`/proc/sys/${key.path}`), constants.O_WRONLY | constants.O_TRUNC)
    await file.write(Buffer.from(`${value}\n`))
  } catch (error) {
    const errno = errnoOf(error)
    const options = { field: key.parameter, cause: error }
    if (kernelRefusals.has(errno)) {
      const message = `the kernel refuses the value for ${key.name} (${errno}); ${soFar(done)}`
      throw new ResourceError('parameter', 'ValueRefusedByKernel', message, options)
    }
    throw new ResourceError(
      'act',
      'WriteFailed',
      `the kernel does not let ${key.name} be set (${errno}); ${soFar(done)}`,
      options,
    )
  }
}

async function persist(system: System, values: ReadonlyMap<string, string>, done: readonly string[]): Promise<void> {
  try {
    const path = system.path(sysctlFile)
    const merged = mergeSysctlLines((await system.readIfPresent(sysctlFile)) ?? Buffer.alloc(0), values)
    await makeFolder(dirname(path))
    await replaceFile(path, merged, { mode: 0o644, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  } catch (error) {
    const { code, message } = error instanceof ResourceError ? error : fileError(sysctlFile, error)
    throw new ResourceError('act', code, `${message}; ${soFar(done)}`, { cause: error })
  }
}

/** The umask must not decide who may read it. */
async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true })
  if (made !== undefined) await chmod(path, 0o755)
}

/** Whoever reads the error has to know what is different on the host from before. */
function soFar(done: readonly string[]): string {
  return done.length === 0 ? 'no running value was changed' : `set until the next boot only: ${done.join(', ')}`
}
