import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { boxOf } from '../capsule/box.ts'
import { cgroupRoot } from '../capsule/cgroup.ts'
import { mustRun } from '../command.ts'
import { eventually } from '../deadline.ts'

/** What a run could leave on the machine; every list is sorted. Without what belongs to other runs that are going on. */
export type Traces = {
  /** Processes that bear the tag in their environment, or live in another process namespace than ours. */
  readonly processes: readonly string[]
  readonly mounts: readonly string[]
  readonly cgroups: readonly string[]
  readonly networkNamespaces: readonly string[]
  /** Without those of processes that have nothing to do with the run: other programs open and close theirs as they please. */
  readonly listeningSockets: readonly string[]
}

/** Looks at the machine. `tag` is a string in the environment of the run, which all its processes inherit. */
export async function takeTraces(tag: string): Promise<Traces> {
  const listening = await mustRun([
    'ss',
    '--no-header',
    '--listening',
    '--numeric',
    '--processes',
    '--tcp',
    '--udp',
    '--unix',
  ])
  const namespaces = await mustRun(['ip', 'netns', 'list'])
  return {
    processes: processesOf(tag),
    mounts: lines(readFileSync('/proc/self/mountinfo', 'utf8').replaceAll(/^\d+ \d+ /gm, '')),
    cgroups: foldersBelow(cgroupRoot()).filter((path) => !isOfOtherRun(path, tag)),
    networkNamespaces: [...lines(namespaces.stdout), ...networkNamespaces(tag)].toSorted(),
    listeningSockets: lines(listening.stdout.replaceAll(/ +/g, ' ')).filter((line) => !isForeign(line, tag)),
  }
}

/** The names of the programs that bear the tag, to see how far a run is. */
export function programsOf(tag: string): string[] {
  return processesOf(tag).map((line) => line.split(' ')[1] ?? '')
}

function processesOf(tag: string): string[] {
  return eachProcess((folder, pid) =>
    belongs(folder, tag) ? `${pid} ${readFileSync(join(folder, 'comm'), 'utf8').trim()}` : undefined,
  )
}

/** One that no process is named for belongs to a process that cannot be seen from here. */
function isForeign(socket: string, tag: string): boolean {
  const owners = [...socket.matchAll(/pid=(\d+)/g)].map(([, pid]) => pid!)
  return owners.every((pid) => !belongs(`/proc/${pid}`, tag))
}

function belongs(folder: string, tag: string): boolean {
  try {
    if (readFileSync(join(folder, 'environ'), 'utf8').includes(tag)) return true
    if (readlinkSync(join(folder, 'ns/pid')) === readlinkSync('/proc/self/ns/pid')) return false
    return !isOfOtherRun(readFileSync(join(folder, 'cgroup'), 'utf8').trimEnd(), tag)
  } catch {
    // It went away while it was looked at, or it is a kernel thread.
    return false
  }
}

/** Whether a cgroup is that of a capsule whose starter lives, does not bear the tag and is not this process. */
function isOfOtherRun(cgroup: string, tag: string): boolean {
  const starter = boxOf(cgroup)?.starter
  return starter !== undefined && starter !== process.pid && !belongs(`/proc/${starter}`, tag)
}

/** What is there now and was not before, and mounts that are missing: all lists empty means that the run left the machine as it was. */
export function differences(before: Traces, now: Traces): Record<string, string[]> {
  const added = (kind: keyof Traces) => now[kind].filter((line) => !before[kind].includes(line))
  return {
    processes: added('processes'),
    mounts: added('mounts'),
    missingMounts: before.mounts.filter((line) => !now.mounts.includes(line)),
    cgroups: added('cgroups'),
    networkNamespaces: added('networkNamespaces'),
    listeningSockets: added('listeningSockets'),
  }
}

/** What is left of a run five seconds after its end, or as soon as nothing is. */
export async function leftovers(before: Traces, tag: string): Promise<Record<string, string[]>> {
  const look = async () => differences(before, await takeTraces(tag))
  const isClean = async () => Object.values(await look()).every((list) => list.length === 0)
  await eventually('the machine is as before', isClean, 5_000).catch(() => {})
  return look()
}

function networkNamespaces(tag: string): string[] {
  const own = readlinkSync('/proc/self/ns/net')
  const found = eachProcess((folder) => (belongs(folder, tag) ? readlinkSync(join(folder, 'ns/net')) : undefined))
  return [...new Set(found)].filter((name) => name !== own)
}

function eachProcess(look: (folder: string, pid: string) => string | undefined): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const line = look(`/proc/${pid}`, pid)
      if (line !== undefined) found.push(line)
    } catch {
      // It went away while it was looked at, or it is a kernel thread.
    }
  return found.toSorted()
}

/** By hand, as a recursive readdir fails when a folder goes away under it. */
function foldersBelow(folder: string): string[] {
  const found: string[] = []
  const walk = (path: string) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      found.push(join(path, entry.name))
      try {
        walk(join(path, entry.name))
      } catch {
        // It went away while it was looked at.
      }
    }
  }
  walk(folder)
  return found.toSorted()
}

function lines(text: string): string[] {
  return text.trimEnd().split('\n').toSorted()
}
