/** What `work` brings, or the signal's reason as soon as that is aborted; whatever `work` does afterwards is ignored. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  const { promise: abortion, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([abortion, work])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Resolves as soon as the signal is aborted. Leaves a listener on it until then: not for what happens often during the life of a signal. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}
