import type { Step } from './stage.ts'

/** Shows the steps one after another; false, with the step named, as soon as one does not show what it should. */
export async function runSteps(steps: readonly Step[]): Promise<boolean> {
  for (const [index, { title, run }] of steps.entries()) {
    console.log(`\n── ${index + 1} of ${steps.length}: ${title}`)
    const started = performance.now()
    try {
      console.log(await run())
    } catch (error) {
      console.log(`FAILED: step ${index + 1}, ${title}\n${error instanceof Error ? error.message : String(error)}`)
      return false
    }
    console.log(`(${((performance.now() - started) / 1_000).toFixed(1)} s)`)
  }
  console.log(`\nAll ${steps.length} steps showed what they should.`)
  return true
}
