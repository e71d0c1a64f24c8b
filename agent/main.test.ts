import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { productVersion } from '@keelson/api/product-version'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPki, hostName, type Pki } from './agent.fixture.ts'

let folder: string
let pki: Pki
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-agent-main-'))
  pki = await createPki(await CertificateAuthority.create('keelson'))
  await writeFile(join(folder, 'ca.crt'), pki.authority.certificate)
  await writeFile(join(folder, 'tls.crt'), pki.agent.certificate)
  await writeFile(join(folder, 'tls.key'), pki.agent.key)
})
afterAll(async () => rm(folder, { recursive: true }))

/** The agent's own port on an address that no other test listens on: all of 127.0.0.0/8 is this machine. */
function ownAddress(): string {
  const byte = (): number => 1 + Math.floor(Math.random() * 254)
  return `127.${byte()}.${byte()}.${byte()}`
}

type Line = Readonly<Record<string, unknown>>

class Process implements AsyncDisposable {
  readonly #child
  #output = ''
  readonly ended: Promise<number | null>

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (chunk) => (this.#output += String(chunk)))
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null)
  }

  /** Everything on both streams, as far as lines are whole: one JSON object a line. */
  get log(): readonly Line[] {
    return this.#output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  terminate(): void {
    this.#child.kill('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}

async function configure(address: string): Promise<string> {
  const path = join(folder, `${address}.json`)
  await writeFile(path, JSON.stringify({ name: hostName, address, tls: folder, state: join(folder, 'state') }))
  return path
}

test('it serves its host, and ends on SIGTERM', async () => {
  const address = ownAddress()
  await using agent = new Process(['--config', await configure(address)])
  await eventually('it listens', () => agent.log.some(({ msg }) => msg === 'agent listens'))
  expect(agent.log[0]).toMatchObject({ level: 30, host: hostName, address, port: 7117 })

  const { operator, authority } = pki
  const tls = { servername: hostName, ca: authority.certificate, cert: operator.certificate, key: operator.key }
  const get = request({ host: address, port: 7117, path: '/v1/facts', ...tls })
  get.end()
  const [response] = (await once(get, 'response')) as [AsyncIterable<Buffer>]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const facts: unknown = JSON.parse(Buffer.concat(chunks).toString())
  expect(facts).toMatchObject({ bootID: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim() })

  await eventually('it is logged', () => agent.log.some(({ msg }) => msg === 'request'))
  agent.terminate()
  expect(await agent.ended).toBe(0)
  expect(agent.log.map(({ msg }) => msg)).toEqual([
    'agent listens',
    'request',
    'agent stops: requests in hand may finish',
    'agent stopped',
  ])
})

describe('RUNTIME_DIRECTORY, as systemd names it', () => {
  test('there it tells its version and where it listens', async () => {
    const address = ownAddress()
    const directory = await mkdtemp(join(folder, 'run-'))
    await using agent = new Process(['--config', await configure(address)], { RUNTIME_DIRECTORY: directory })
    await eventually('it listens', () => agent.log.some(({ msg }) => msg === 'agent listens'))
    expect(await readdir(directory)).toEqual(['agent.json'])
    expect(JSON.parse(await readFile(join(directory, 'agent.json'), 'utf8'))).toEqual({
      ...{ version: productVersion, pid: agent.pid, address, port: 7117 },
    })
  })

  test('as long as it does not listen it tells nothing', async () => {
    const directory = await mkdtemp(join(folder, 'run-'))
    await using agent = new Process(['--config', await configure('192.0.2.1')], { RUNTIME_DIRECTORY: directory })
    expect(await agent.ended).toBe(1)
    expect(await readdir(directory)).toEqual([])
  })

  test('where it cannot be written the agent serves all the same, and says so', async () => {
    const nowhere = join(folder, 'nowhere')
    await using agent = new Process(['--config', await configure(ownAddress())], { RUNTIME_DIRECTORY: nowhere })
    await eventually('it listens', () => agent.log.some(({ msg }) => msg === 'agent listens'))
    expect(agent.log[0]).toMatchObject({ level: 50, err: { code: 'FolderMissing' } })
  })
})

test('an address that is not up: it says so and ends, to be started again', async () => {
  // TEST-NET-1 (RFC 5737) is nobody's address.
  await using agent = new Process(['--config', await configure('192.0.2.1')])
  expect(await agent.ended).toBe(1)
  expect(agent.log).toEqual([
    expect.objectContaining({
      level: 60,
      msg: 'agent cannot start',
      err: expect.objectContaining({ code: 'EADDRNOTAVAIL' }) as object,
    }),
  ])
})

test.each([
  ['a file that is not there', ['--config', '/nowhere/agent.json'], /\/nowhere\/agent\.json cannot be read/],
  ['another option', ['--port', '1'], /usage: agent --config/],
])('%s: it says what to do and ends', async (_case, args, reason) => {
  await using agent = new Process(args)
  expect(await agent.ended).toBe(1)
  expect(agent.log).toEqual([
    expect.objectContaining({
      level: 60,
      msg: 'configuration refused',
      reason: expect.stringMatching(reason) as string,
    }),
  ])
})
