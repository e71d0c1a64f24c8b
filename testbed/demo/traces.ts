import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupRoot } from '../capsule/cgroup.ts'
import { mustRun } from '../command.ts'

/** What a run could leave on the machine; every list is sorted. */
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
    cgroups: foldersBelow(cgroupRoot()),
    networkNamespaces: [...lines(namespaces.stdout), ...processNamespaces('net')].toSorted(),
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

function isForeign(socket: string, tag: string): boolean {
  const owners = [...socket.matchAll(/pid=(\d+)/g)].map(([, pid]) => pid!)
  return owners.length > 0 && owners.every((pid) => !belongs(`/proc/${pid}`, tag))
}

function belongs(folder: string, tag: string): boolean {
  try {
    if (readFileSync(join(folder, 'environ'), 'utf8').includes(tag)) return true
    return readlinkSync(join(folder, 'ns/pid')) !== readlinkSync('/proc/self/ns/pid')
  } catch {
    // It went away while it was looked at, or it is a kernel thread.
    return false
  }
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

function processNamespaces(kind: 'net'): string[] {
  return [...new Set(eachProcess((folder) => readlinkSync(join(folder, 'ns', kind))))]
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

function foldersBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

function lines(text: string): string[] {
  return text.trimEnd().split('\n').toSorted()
}
