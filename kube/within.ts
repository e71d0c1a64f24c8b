import { systemClock, type Clock } from './clock.ts'

/** What `promise` brings, or undefined where that takes longer. Whatever it does afterwards is ignored. */
export async function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  clock: Clock = systemClock,
): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const cancel = clock.schedule(milliseconds, () => resolve(undefined))
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}
