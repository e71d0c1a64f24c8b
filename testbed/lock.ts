import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Longer than the slowest build; whoever waits longer waits for a run that hangs. */
const timeoutSeconds = 7_200

/** Somebody else may hold a lock for good reason; after this time whoever waits is told. */
const tellAfterMs = 1_000

/**
 * Takes an exclusive lock on a file, which is made where missing and stays. The kernel owns the lock (flock(2)): it ends when this
 * process dies, whatever way, so there are no stale locks.
 *
 * A process of its own holds it, since Node has no flock: it ends when its stdin does.
 *
 * @returns the function that lets the lock go.
 */
export async function lockFile(path: string, onWait: () => void): Promise<() => Promise<void>> {
  const holder = spawn('flock', ['--no-fork', '--timeout', String(timeoutSeconds), path, 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(holder, 'exit')
  // A holder that has ended is judged by that, not by our broken pipe.
  holder.stdin.on('error', () => {})
  // cat runs, and answers, only once the lock is held.
  holder.stdin.write('held')
  const timer = setTimeout(onWait, tellAfterMs)
  try {
    const [answer] = (await Promise.race([once(holder.stdout, 'data'), ended])) as unknown[]
    if (!Buffer.isBuffer(answer)) throw new Error(`${path}: no lock within ${timeoutSeconds} s`)
  } finally {
    clearTimeout(timer)
  }
  return async () => {
    holder.stdin.end()
    await ended
  }
}
