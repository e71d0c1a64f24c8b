import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, test, onTestFinished } from 'vitest'
import { eventually } from './deadline.ts'
import { processStart } from './process-start.ts'

test('a process has the same start for as long as it runs, and none once it has ended', async () => {
  // The name of the program is in the line that is read: one with all that could lead astray.
  const child = spawn(process.execPath, [
    '-e',
    'process.title = "a) Z 1 (b"; console.log("up"); setInterval(() => {}, 1e4)',
  ])
  await once(child.stdout, 'data')
  const start = processStart(child.pid!)
  expect(Number(start)).toBeGreaterThanOrEqual(Number(processStart('self')))
  expect(processStart(child.pid!)).toBe(start)
  child.kill('SIGKILL')
  await eventually('it has ended', () => processStart(child.pid!) === undefined)
})

test('a zombie has ended', async () => {
  // Its parent sleeps for good, so nobody asks for its exit code.
  const script = `
    const child = require('child_process').spawn('true')
    console.log(String(child.pid))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`
  const parent = spawn(process.execPath, ['-e', script])
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [told] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(told.toString())
  await eventually('it is a zombie', () => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
  expect(processStart(pid)).toBeUndefined()
})
