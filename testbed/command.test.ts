import { expect, test } from 'vitest'
import { CommandError, mustRun, runCommand } from './command.ts'
import { DeadlineError } from './deadline.ts'

const node = (script: string, ...args: string[]) => [process.execPath, '-e', script, ...args]

test('arguments reach a program as they are, and so do its input and its output', async () => {
  const argument = 'a b; $(touch /tmp/x) "q" \'s\' *'
  const script = 'console.log(process.argv[1]); console.error(require("fs").readFileSync(0, "utf8")); process.exit(3)'
  expect(await runCommand(node(script, argument), { input: 'in' })).toEqual({
    exitCode: 3,
    stdout: `${argument}\n`,
    stderr: 'in\n',
  })
})

test('the environment is ours, changed where told', async () => {
  const script = 'console.log(`${process.env.PATH === undefined} ${process.env.ADDED} ${"HOME" in process.env}`)'
  const { stdout } = await runCommand(node(script), { env: { ADDED: 'yes', HOME: undefined } })
  expect(stdout).toBe('false yes false\n')
})

test('a program that ends without reading its input is judged by its exit code', async () => {
  const { exitCode } = await runCommand(node(''), { input: 'x'.repeat(4 * 1024 * 1024) })
  expect(exitCode).toBe(0)
})

test('a program that is killed has the exit code that a shell would give', async () => {
  expect((await runCommand(node('process.kill(process.pid, "SIGTERM")'))).exitCode).toBe(143)
})

test('mustRun says which program failed, how, and its last words', async () => {
  const failure = mustRun(node('console.error("x".repeat(3000) + "the reason"); process.exit(7)'))
  await expect(failure).rejects.toThrow(CommandError)
  await expect(failure).rejects.toThrow(/exit 7\nx{1990}the reason$/)
})

test('a program that is missing is named', async () => {
  await expect(runCommand(['/no/such/program'])).rejects.toThrow('/no/such/program')
})

test('a time limit holds though what the program started keeps its output open', async () => {
  const child = `require("child_process").spawn("sleep", ["10"], { stdio: "inherit" }).unref()`
  const limits = { timeoutMs: 300 }
  // One that ends and leaves a child behind, and one that does not end.
  for (const script of [child, `${child}; setInterval(() => {}, 1000)`])
    await expect(runCommand(node(script), limits)).rejects.toThrow(DeadlineError)
})
