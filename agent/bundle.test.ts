import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPki, hostName, type Pki } from './agent.fixture.ts'
import { bundleAgent } from './bundle.ts'

let folder: string
let pki: Pki
beforeAll(async () => {
  // Outside the source tree: no node_modules is found from here.
  folder = await mkdtemp(join(tmpdir(), 'keelson-bundle-'))
  pki = await createPki(await CertificateAuthority.create('keelson'))
  await bundleAgent(join(folder, 'agent.js'))
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

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, [join(folder, 'agent.js'), ...args], {
      cwd: folder,
      env: {},
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

test('the bundle alone serves its host, and ends on SIGTERM', async () => {
  const address = ownAddress()
  await using agent = new Process('--config', await configure(address))
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

test('an address that is not up: it says so and ends, to be started again', async () => {
  // TEST-NET-1 (RFC 5737) is nobody's address.
  await using agent = new Process('--config', await configure('192.0.2.1'))
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
  await using agent = new Process(...args)
  expect(await agent.ended).toBe(1)
  expect(agent.log).toEqual([
    expect.objectContaining({
      level: 60,
      msg: 'configuration refused',
      reason: expect.stringMatching(reason) as string,
    }),
  ])
})
