import { join } from 'node:path'
import { processStart } from '../process-start.ts'
import { cgroupRoot } from './cgroup.ts'

let count = 0

/** The cgroup folder of a new capsule. It is named after the process that starts it, so that others can tell whose it is. */
export function newBox(): string {
  count += 1
  return join(cgroupRoot(), `keelson-${process.pid}-${processStart('self')}-${count}`)
}

/** Whose box a cgroup (a folder, or as proc_pid_cgroup(5) tells it) is or lies in; undefined if it is none. `starter` is undefined when that process has ended. */
export function boxOf(cgroup: string): { readonly starter: number | undefined } | undefined {
  const [, pid, start] = /\/keelson-(\d+)-(\d+)-\d+(\/|$)/m.exec(cgroup) ?? []
  if (pid === undefined) return undefined
  return { starter: processStart(Number(pid)) === start ? Number(pid) : undefined }
}
