import { readFileSync } from 'node:fs'

/**
 * Start time of a process in clock ticks since boot, proc_pid_stat(5): with it a pid names one process for ever. Undefined if there is no
 * such process or it has ended.
 */
export function processStart(pid: number | 'self'): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program is in parentheses and may hold any of them.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie: its parent has not asked for its exit code yet.
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
