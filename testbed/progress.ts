/** A line for whoever waits. Goes to stderr, so that stdout stays for results. */
export function report(topic: string, line: string): void {
  console.error(`[${topic}] ${line}`)
}

/** Says every ten seconds how far a long step is, beside what it is expected to take. */
export async function withEstimate<T>(
  topic: string,
  what: string,
  estimateSeconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now()
  const seconds = () => Math.round((performance.now() - start) / 1_000)
  report(topic, `${what} (about ${estimateSeconds} s)`)
  const timer = setInterval(() => report(topic, `${what}: ${seconds()} s of about ${estimateSeconds} s`), 10_000)
  try {
    const result = await work()
    report(topic, `${what}: done in ${seconds()} s`)
    return result
  } finally {
    clearInterval(timer)
  }
}
