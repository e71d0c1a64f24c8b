import { rm, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeAgent } from './removal.ts'
import { TestHost } from './test-host.fixture.ts'

const never = new AbortController().signal
const logger = pino({ enabled: false })
let host: TestHost
beforeEach(async () => {
  host = await TestHost.create()
})
afterEach(async () => host[Symbol.asyncDispose]())

const remove = async () =>
  removeAgent({ hostRoot: host.root, programs: host.programs, files: host.files, logger }, never)
const install = async () => host.installer(await host.image('1.0.0')).look(never)

test('leaves every file as it was before, and does nothing where nothing is', async () => {
  const before = await host.listing()
  await install()
  host.calls.length = 0
  await remove()
  expect(await host.listing()).toEqual(before)
  expect(host.runs).toBe(false)
  expect(host.calls).toEqual([
    'stop keelson-agent.service',
    '--no-reload disable keelson-agent.service',
    'daemon-reload',
  ])
  const after = await host.listing({ times: true })
  await remove()
  expect(await host.listing({ times: true })).toEqual(after)
  expect(host.calls).toHaveLength(3)
})

test('a folder /opt that was not there before goes, unless something else is in it by now', async () => {
  await rm(join(host.root, 'opt'), { recursive: true })
  const before = await host.listing()
  await install()
  await remove()
  expect(await host.listing()).toEqual(before)
  await install()
  await mkdir(join(host.root, 'opt/other'))
  await remove()
  expect(Object.keys(await host.listing())).toContain('opt/other')
})

test('what requests have changed stays', async () => {
  await install()
  const kept = join(host.root, 'etc/sysctl.d/99-zz-keelson.conf')
  await mkdir(join(kept, '..'))
  await writeFile(kept, 'net.ipv4.ip_forward = 1\n')
  await remove()
  expect(Object.keys(await host.listing())).toContain('etc/sysctl.d/99-zz-keelson.conf')
})

test('an agent that failed, or whose unit was removed by hand, leaves nothing either', async () => {
  const before = await host.listing()
  await host
    .installer(await host.image('1.0.0', 'exits'))
    .look(never)
    .catch(() => undefined)
  await rm(host.paths.unit)
  await remove()
  const after = await host.listing()
  delete after['etc/systemd/system/multi-user.target.wants']
  expect(after).toEqual(before)
  expect(host.calls.at(-1)).toBe('daemon-reload')
  expect(host.calls).toContain('reset-failed keelson-agent.service')
})
