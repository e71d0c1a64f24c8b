import { readFile } from 'node:fs/promises'
import { eventually } from '@keelson/testbed'
import { describe, expect, test } from 'vitest'
import { runProgram } from './program.ts'
import { TemporaryHost } from './temporary-host.fixture.ts'

const never = new AbortController().signal
const limits = { timeoutMs: 10_000 }

async function hostWith(script: string): Promise<TemporaryHost> {
  const host = await TemporaryHost.create()
  await host.program('/bin/tool', script)
  return host
}

async function alive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // Z: dead, and not yet waited for by whoever became its parent.
  return stat !== undefined && !/\) [ZX] /.test(stat)
}

/** Waits until the script has written the process number of its child. */
async function childOf(host: TemporaryHost): Promise<number> {
  return eventually(
    'child started',
    async () => Number((await host.text('/child').catch(() => '')).trim()) || undefined,
  )
}

const startsChild = 'sleep 600 & echo $! > "$root/child"; wait'

describe('runProgram', () => {
  test('passes arguments as they are: no shell reads them', async () => {
    await using host = await hostWith('for argument; do printf "[%s]" "$argument"; done')
    const { stdout } = await runProgram(
      host.system.path('/bin/tool'),
      ['a b', '$HOME', '`id`', '; rm', '*', ''],
      limits,
      never,
    )
    expect(stdout).toBe('[a b][$HOME][`id`][; rm][*][]')
  })

  test('environment is fixed, standard input is empty, the folder is /', async () => {
    process.env['KEELSON_TEST_SECRET'] = 'must not be inherited'
    await using host = await hostWith('pwd; /usr/bin/env | /usr/bin/sort; cat')
    const { stdout } = await runProgram(host.system.path('/bin/tool'), [], limits, never)
    expect(stdout.split('\n').filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line))).toEqual([
      '/',
      'LC_ALL=C.UTF-8',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'SYSTEMD_COLORS=0',
      'SYSTEMD_PAGER=',
      '',
    ])
  })

  test('another exit code is an error with one bounded line of what it said', async () => {
    await using host = await hostWith(
      'printf "first\\n\\033[31msecond\\n" >&2; /usr/bin/head -c 100000 /dev/zero | /usr/bin/tr "\\0" x >&2; exit 3',
    )
    const failure = await runProgram(host.system.path('/bin/tool'), [], limits, never).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ProgramFailed', kind: 'act', exitCode: 3 })
    const { message } = failure as Error
    expect(message).toMatch(/failed with exit code 3: first \[31msecond xxxx*…$/)
    expect(message.length).toBeLessThan(700)
  })

  test('a program that is not there', async () => {
    const missing = runProgram('/nonexistent/tool', [], limits, never)
    await expect(missing).rejects.toMatchObject({ code: 'ProgramMissing', kind: 'act' })
  })

  test('at the time limit the whole process group is killed', async () => {
    await using host = await hostWith(startsChild)
    const run = runProgram(host.system.path('/bin/tool'), [], { timeoutMs: 2_000 }, never)
    const [child] = await Promise.all([childOf(host), expect(run).rejects.toMatchObject({ code: 'ProgramTimeout' })])
    await eventually('grandchild is gone', async () => !(await alive(child)))
  })

  test('an aborted signal kills the whole process group', async () => {
    await using host = await hostWith(startsChild)
    const controller = new AbortController()
    const run = runProgram(host.system.path('/bin/tool'), [], limits, controller.signal)
    const child = await childOf(host)
    controller.abort(new Error('not wanted any more'))
    await expect(run).rejects.toThrow('not wanted any more')
    await eventually('grandchild is gone', async () => !(await alive(child)))
  })

  test('never starts with a signal that is aborted already', async () => {
    await using host = await hostWith('echo started > "$root/started"')
    const run = runProgram(host.system.path('/bin/tool'), [], limits, AbortSignal.abort(new Error('too late')))
    await expect(run).rejects.toThrow('too late')
    await expect(host.text('/started')).rejects.toThrow('ENOENT')
  })

  test('output beyond the cap is an error, and ends the program', async () => {
    await using host = await hostWith('exec /usr/bin/yes')
    const run = runProgram(host.system.path('/bin/tool'), [], { ...limits, maxOutputBytes: 1_000 }, never)
    await expect(run).rejects.toMatchObject({ code: 'ProgramOutputTooLong' })
  })

  test('output up to the cap is whole', async () => {
    await using host = await hostWith('/usr/bin/head -c 1000 /dev/zero | /usr/bin/tr "\\0" x')
    const { stdout } = await runProgram(host.system.path('/bin/tool'), [], { ...limits, maxOutputBytes: 1_000 }, never)
    expect(stdout).toBe('x'.repeat(1_000))
  })
})
