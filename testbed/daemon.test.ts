import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { Daemon } from './daemon.ts'
import { eventually } from './deadline.ts'
import { processStart } from './process-start.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keelson-daemon-test-'))
  return () => rm(directory, { recursive: true, force: true })
})

const node = (script: string) => [process.execPath, '-e', script]
const log = () => join(directory, `${crypto.randomUUID()}.log`)
const ended = (daemon: Daemon) => eventually(`${daemon.name} has ended`, () => !daemon.running)

test('a daemon dies with its starter, even when that is killed', async () => {
  const starter = spawn(process.execPath, [join(import.meta.dirname, 'daemon.fixture.ts'), log()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [told] = (await once(starter.stdout, 'data')) as [Buffer]
  const pid = Number(told.toString())
  const start = processStart(pid)
  expect(start).toMatch(/^\d+$/)
  // It is the program itself by now, no longer the one that arms the signal.
  await eventually('sleep runs', async () => (await readFile(`/proc/${pid}/comm`, 'utf8')) === 'sleep\n')
  starter.kill('SIGKILL')
  await eventually('the daemon is gone', () => processStart(pid) !== start, 5_000)
})

test('what it writes goes to a log that only its owner reads, and its last lines tell why it ended', async () => {
  const path = log()
  const script = 'for (let n = 0; n < 30; n++) console.log(`line ${n}`); console.error("port in use"); process.exit(4)'
  await using daemon = new Daemon('server', node(script), { log: path })
  await ended(daemon)
  await expect(daemon.assertRunning()).rejects.toThrow(
    /^server has ended \(exit 4\):\nline 11\n[^]*line 29\nport in use$/,
  )
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('stop lets it end by itself, and kills what does not', async () => {
  const ready = (daemon: Daemon) => eventually('it is ready', async () => (await daemon.tail()) === 'ready')
  const willing = 'process.on("SIGTERM", () => process.exit(5)); console.log("ready"); setInterval(() => {}, 1e4)'
  await using daemon = new Daemon('willing', node(willing), { log: log() })
  await ready(daemon)
  await daemon.stop()
  await expect(daemon.assertRunning()).rejects.toThrow('willing has ended (exit 5)')
  await daemon.stop()

  const stubborn = 'process.on("SIGTERM", () => {}); console.log("ready"); setInterval(() => {}, 1e4)'
  await using other = new Daemon('stubborn', node(stubborn), { log: log() })
  await ready(other)
  await other.stop('SIGTERM', 100)
  await expect(other.assertRunning()).rejects.toThrow('stubborn has ended (exit SIGKILL)')
})

test('a program that is missing has ended, and its log says so', async () => {
  await using daemon = new Daemon('nobody', ['/no/such/program'], { log: log() })
  await ended(daemon)
  await expect(daemon.assertRunning()).rejects.toThrow('/no/such/program')
})
