import { expect, test } from 'vitest'
import { programsUnder } from './host-programs.ts'

const never = new AbortController().signal
const run = programsUnder('/')

test('a program has a fixed environment and no input; how it ended is a value', async () => {
  const { exitCode, stdout } = await run(['/usr/bin/env'], 10_000, never)
  expect(exitCode).toBe(0)
  expect(stdout.trim().split('\n').toSorted()).toEqual([
    ...['LC_ALL=C.UTF-8', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'SYSTEMD_COLORS=0', 'SYSTEMD_IGNORE_CHROOT=1'],
    'SYSTEMD_PAGER=',
  ])
  expect(await run(['/usr/bin/cat', '/nowhere'], 10_000, never)).toMatchObject({
    ...{ exitCode: 1, stdout: '', stderr: expect.stringContaining('No such file') as string },
  })
})

test('one that there is not, or that does not end, is an error', async () => {
  await expect(run(['/nowhere'], 10_000, never)).rejects.toMatchObject({ code: 'HostProgramFailed' })
  await expect(run(['/usr/bin/sleep', '60'], 50, never)).rejects.toMatchObject({
    ...{ code: 'HostProgramFailed', message: '/usr/bin/sleep of the host did not end within 0.05 s' },
  })
})

test('an abort ends it', async () => {
  const stop = new AbortController()
  const running = run(['/usr/bin/sleep', '60'], 60_000, stop.signal)
  const reason = new Error('stopped')
  stop.abort(reason)
  await expect(running).rejects.toBe(reason)
  await expect(run(['/usr/bin/true'], 1_000, stop.signal)).rejects.toBe(reason)
})
