import { setTimeout as wait } from 'node:timers/promises'

const probeIntervalMs = 50

/**
 * Waits until each name is settled once, or the time is over; gives back, in their order, the names that are not. Throws the reason of
 * the signal.
 */
export async function settle(
  names: readonly string[],
  isSettled: (name: string) => boolean,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const end = performance.now() + timeoutMs
  let behind = names.filter((name) => !isSettled(name))
  while (behind.length > 0 && performance.now() < end) {
    await wait(probeIntervalMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
    behind = behind.filter((name) => !isSettled(name))
  }
  return behind
}
