import type { Reporter, TestModule } from 'vitest/node'

export type Counts = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly retried: number
}

/** Tells the process that started the suite how many tests ended how; the text for people comes from another reporter. */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, retried: 0 }
    for (const module of modules) {
      // A file that could not be loaded has no tests, but it has failed.
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === 'pending' ? 'skipped' : state] += 1
        if ((test.diagnostic()?.retryCount ?? 0) > 0) counts.retried += 1
      }
    }
    counts.failed += errors.length
    process.send?.({ counts })
  }
}
