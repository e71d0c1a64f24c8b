import { expect, test } from 'vitest'
import { TemporaryHost } from './temporary-host.fixture.ts'

test('reads up to the bound and not a byte more', async () => {
  await using host = await TemporaryHost.create({ '/etc/x': 'x'.repeat(100) })
  expect((await host.system.read('/etc/x', 100)).toString()).toBe('x'.repeat(100))
  await expect(host.system.read('/etc/x', 99)).rejects.toMatchObject({ code: 'FileTooLarge' })
})

test('a file that is not there is no error where it may be missing, everything else is', async () => {
  await using host = await TemporaryHost.create({ '/etc/x/y': '' })
  expect(await host.system.readIfPresent('/etc/nope')).toBeUndefined()
  await expect(host.system.readIfPresent('/etc/x')).rejects.toMatchObject({ kind: 'act', code: 'FileFailed' })
})

test('programs are looked up below the root', async () => {
  await using host = await TemporaryHost.create()
  await host.program('/usr/bin/tool', 'echo "here: $1"')
  const { stdout } = await host.system.run(['/usr/bin/tool', '--x'], { timeoutMs: 5_000 }, new AbortController().signal)
  expect(stdout).toBe('here: --x\n')
})
