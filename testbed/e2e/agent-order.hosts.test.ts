import 'reflect-metadata'
import { X509Certificate, type webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { agentPort } from '@keelson/api'
import * as x509 from '@peculiar/x509'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import type { Host } from '../hosts/host.ts'
import { generateKeys, type KeyPair } from '../pki.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

const controlIdentity = 'control.keelson.dev'

let world: World
let host: Host
let identities: Readonly<Record<'request' | 'control', KeyPair>>
sharedWorld({ hosts: 2 }, async (shared) => {
  world = shared.world
  // The hosts have enrolled; from here on nobody but this test speaks to the agents.
  await world.stopOperator()
  host = world.host('worker-1')
  const control = { subject: `CN=${controlIdentity}`, dnsNames: [controlIdentity], usages: ['client'] } as const
  identities = { request: await world.requestCertificate(), control: await world.authority.issue(control) }
  await writeFile(join(host.root, 'etc/systemd/system/slow.service'), slowUnit)
  await host.run(['systemctl', 'daemon-reload'])
  await agentAnswers()
})

/** Counts its starts where a reboot leaves them, and is not done with one before /run/go is there. */
const slowUnit = `[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo start >> /var/lib/slow-starts; until [ -e /run/go ]; do sleep 0.05; done'
`

type Call = {
  readonly as?: 'request' | 'control'
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  /** What the agent's certificate is checked against. */
  readonly ca?: string
  readonly signal?: AbortSignal
}
type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: unknown }

/** One request to worker-1's agent, over a connection of its own. */
async function call(path: string, { as = 'request', method, headers, body, ca, signal }: Call = {}): Promise<Answer> {
  const pair = identities[as]
  const outgoing = request({
    host: host.address,
    port: agentPort,
    servername: host.name,
    ca: ca ?? world.authority.certificate,
    cert: pair.certificate,
    key: pair.key,
    agent: false,
    path,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(signal ? { signal } : {}),
  })
  outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = Buffer.concat((await response.toArray()) as Buffer[]).toString()
  return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as unknown }
}

/** Status, the error's code if there is one, and whether the answer came from the agent's record. */
async function outcome(answer: Promise<Answer>): Promise<string> {
  const { status, headers, body } = await answer
  const words = [
    String(status),
    (body as { readonly code?: string }).code,
    headers['idempotency-replayed'] && 'replayed',
  ]
  return words.filter((word) => word !== undefined).join(' ')
}

async function agentAnswers(): Promise<void> {
  await eventually('the agent answers', async () => (await call('/v1/facts')).status === 200, 30_000)
}

async function restartAgent(): Promise<void> {
  await host.run(['systemctl', 'restart', 'keelson-agent'])
  await agentAnswers()
}

const keyed = (run: string) => ({ 'idempotency-key': `${run}-1-/0/5c1f0b1e-9a7c-4f5e-8a56-2b7a0e4a9d11` })
const order = (epoch: number, sequence: number) => ({
  'keelson-epoch': String(epoch),
  'keelson-sequence': String(sequence),
})
const unit = (name: string, run: string, state = 'restarted') =>
  call('/v1/systemdUnit', { headers: keyed(run), body: { name, state } })

describe('Idempotency-Key', () => {
  /** Another one at each start. */
  const invocation = () => host.read(['systemctl', 'show', '--property=InvocationID', '--value', 'nginx'])

  test('a repeated delivery restarts nothing, also after a restart of the agent; a new key does', async () => {
    expect(await outcome(unit('nginx.service', 'first'))).toBe('200')
    const started = await invocation()
    expect(started).toMatch(/^[0-9a-f]{32}$/)
    expect(await outcome(unit('nginx.service', 'first'))).toBe('200 replayed')
    await restartAgent()
    expect(await outcome(unit('nginx.service', 'first'))).toBe('200 replayed')
    expect(await outcome(unit('nginx.service', 'first', 'stopped'))).toBe('422 IdempotencyKeyReused')
    expect(await invocation()).toBe(started)
    expect(await outcome(unit('nginx.service', 'second'))).toBe('200')
    expect(await invocation()).not.toBe(started)
  })

  describe('on a unit that takes its time', () => {
    const starts = async () => (await host.read(['cat', '/var/lib/slow-starts'])).split('\n').filter(Boolean).length

    /** Delivers and comes back when the unit has begun to start: with the answer, or the error by which the connection ends. */
    async function begin(run: string, signal?: AbortSignal): Promise<{ readonly first: Promise<unknown> }> {
      await host.run(['rm', '--force', '/run/go'])
      const before = await starts()
      const body = { name: 'slow.service', state: 'restarted' }
      const first = call('/v1/systemdUnit', { headers: keyed(run), body, ...(signal ? { signal } : {}) })
      const settled = first.catch((error: unknown) => error)
      await eventually('the unit starts', async () => (await starts()) === before + 1)
      return { first: settled }
    }

    test('while it is in hand: 409 InFlight; then its answer', async () => {
      const { first } = await begin('flight')
      expect(await outcome(unit('slow.service', 'flight'))).toBe('409 InFlight')
      await host.run(['touch', '/run/go'])
      expect(await first).toMatchObject({ status: 200, body: { changed: true } })
      expect(await outcome(unit('slow.service', 'flight'))).toBe('200 replayed')
      expect(await starts()).toBe(1)
    })

    test('the agent is killed in the middle: 409 OutcomeUnknown, for good, and it is not done again', async () => {
      const before = await starts()
      const { first } = await begin('kill')
      await host.run(['systemctl', 'kill', '--signal=KILL', 'keelson-agent'])
      expect(await first).toBeInstanceOf(Error)
      await host.run(['touch', '/run/go'])
      await agentAnswers()
      expect(await outcome(unit('slow.service', 'kill'))).toBe('409 OutcomeUnknown replayed')
      await restartAgent()
      expect(await outcome(unit('slow.service', 'kill'))).toBe('409 OutcomeUnknown replayed')
      expect(await starts()).toBe(before + 1)
    })

    test('the power is cut in the middle: 409 OutcomeUnknown, and it is not done again', async () => {
      const before = await starts()
      const gone = new AbortController()
      const { first } = await begin('power', gone.signal)
      // Held still, so that it sees nothing of how the others end: a real power cut takes all at once.
      await host.run(['systemctl', 'kill', '--signal=STOP', 'keelson-agent'])
      await host.powerCut()
      gone.abort()
      expect(await first).toBeInstanceOf(Error)
      await host.powerOn()
      await agentAnswers()
      await host.run(['touch', '/run/go'])
      expect(await outcome(unit('slow.service', 'power'))).toBe('409 OutcomeUnknown replayed')
      expect(await starts()).toBe(before + 1)
      expect(await outcome(unit('slow.service', 'power-again'))).toBe('200')
      expect(await starts()).toBe(before + 2)
    })
  })
})

const key = 'net.ipv4.conf.all.rp_filter'
const sysctl = (value: string, headers: Readonly<Record<string, string>>) =>
  outcome(call('/v1/sysctl', { headers, body: { [key]: value } }))
const running = () => host.read(['sysctl', '-n', key])

describe('Keelson-Epoch and Keelson-Sequence', () => {
  test('fence an old leader off, also after a restart of the agent and a power cut', async () => {
    expect(await sysctl('2', order(7, 3))).toBe('200')
    const late = async () => {
      expect(await sysctl('1', order(6, 99))).toBe('409 Superseded')
      expect(await sysctl('1', order(7, 2))).toBe('409 Superseded')
      expect(await sysctl('1', order(7, 3))).toBe('409 Superseded')
    }
    await late()
    await restartAgent()
    await late()
    await host.powerCut()
    await host.powerOn()
    await agentAnswers()
    await late()
    expect(await running()).toBe('2')
    expect(await sysctl('1', order(7, 4))).toBe('200')
    expect(await running()).toBe('1')
  })

  test('are asked of every write once the configuration says so', async () => {
    const path = '/etc/keelson/agent.json'
    const configuration = await host.read(['cat', path])
    const settings: unknown = JSON.parse(configuration)
    await writeFile(join(host.root, path), JSON.stringify({ ...(settings as object), requireOrder: true }))
    await restartAgent()
    expect(await sysctl('2', {})).toBe('400 OrderMissing')
    expect(await sysctl('2', order(7, 5))).toBe('200')
    await writeFile(join(host.root, path), configuration)
    await restartAgent()
    expect(await sysctl('1', {})).toBe('200')
  })
})

test('a full disk: the write is refused before the act, and taken once there is room', async () => {
  const [path, state] = ['/etc/keelson/agent.json', '/mnt/state']
  const configuration = await host.read(['cat', path])
  await host.run(['mkdir', '--parents', state])
  await host.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', state])
  await writeFile(join(host.root, path), JSON.stringify({ ...(JSON.parse(configuration) as object), state }))
  await restartAgent()
  expect(await sysctl('1', keyed('room'))).toBe('200')
  await host.read(['dd', 'if=/dev/zero', `of=${state}/filler`, 'bs=4k'])
  let refused = ''
  // There is room in the last block of the log.
  for (let index = 0; refused === '' && index < 100; index++) {
    const answer = await sysctl('1', keyed(`fill-${index}`))
    if (answer !== '200') refused = answer
  }
  expect(refused).toBe('507 NoSpace')
  expect(await sysctl('2', keyed('full'))).toBe('507 NoSpace')
  expect(await running()).toBe('1')
  expect(await outcome(call('/v1/facts'))).toBe('200')
  expect(await sysctl('1', keyed('room'))).toBe('200 replayed')
  await host.run(['rm', `${state}/filler`])
  expect(await sysctl('2', keyed('full'))).toBe('200')
  expect(await running()).toBe('2')
  await writeFile(join(host.root, path), configuration)
  await restartAgent()
})

test('each identity gets its own paths', async () => {
  const control = ['PUT /v1/desired', 'POST /v1/plan', 'GET /v1/state', 'POST /v1/trust/csr', 'PUT /v1/trust']
  for (const path of control) {
    const [method = '', target = ''] = path.split(' ')
    const body = method === 'GET' ? {} : { body: {} }
    expect([path, await outcome(call(target, { method, ...body }))]).toEqual([path, '403 ControlOnly'])
  }
  expect(await outcome(call('/v1/facts', { as: 'control' }))).toBe('200')
  expect(await outcome(call('/v1/hostname', { as: 'control' }))).toBe('403 RequestOnly')
  expect(await outcome(call('/v1/hostname', { as: 'control', body: { static: 'x' } }))).toBe('403 RequestOnly')
  expect(await host.read(['hostnamectl', '--static'])).toBe('worker-1')
})

/** The next root: it signs what agents ask for, as an operator does. */
class NextRoot {
  readonly certificate: string
  readonly #keys: webcrypto.CryptoKeyPair

  private constructor(certificate: string, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate
    this.#keys = keys
  }

  static async create(): Promise<NextRoot> {
    const keys = await generateKeys()
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=keelson agents',
      keys,
      ...validity,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return new NextRoot(made.toString('pem'), keys)
  }

  async sign(csr: string, name: string): Promise<string> {
    const asked = new x509.Pkcs10CertificateRequest(csr)
    if (!(await asked.verify())) throw new Error('the request does not prove its key')
    const made = await x509.X509CertificateGenerator.create({
      subject: asked.subject,
      issuer: 'CN=keelson agents',
      publicKey: asked.publicKey,
      signingKey: this.#keys.privateKey,
      ...validity,
      extensions: [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
    })
    return made.toString('pem')
  }
}

const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) }

describe('renewal, onto the next root', () => {
  let root: NextRoot
  let bundle: string
  beforeAll(async () => {
    root = await NextRoot.create()
    bundle = `${world.authority.certificate}\n${root.certificate}`
  })

  const put = (certificate: string, more = bundle) =>
    call('/v1/trust', { as: 'control', method: 'PUT', body: { certificate, bundle: more } })

  async function csr(): Promise<string> {
    const { body } = await call('/v1/trust/csr', { as: 'control', body: {} })
    return (body as { readonly certificateRequest: string }).certificateRequest
  }

  /** The certificate that a new connection is shown; whether to trust it is another question. */
  async function shown(): Promise<string> {
    const { certificate: cert, key: own } = identities.request
    const socket = connect({ host: host.address, port: agentPort, cert, key: own, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { serialNumber } = socket.getPeerX509Certificate()!
    socket.destroy()
    return serialNumber
  }

  test('what is wrong is refused and changes nothing', async () => {
    const before = await shown()
    const asked = await csr()
    const [mine, theirs] = [await root.sign(asked, 'worker-1'), await root.sign(asked, 'worker-2')]
    const { certificate: otherKey } = await world.agentCertificate('worker-1')
    const field = async (answer: Promise<Answer>) => {
      const { status, body } = await answer
      return { status, ...(body as object) }
    }
    expect(await field(put(theirs))).toMatchObject({ status: 422, code: 'NameMismatch', field: 'certificate' })
    expect(await field(put(otherKey))).toMatchObject({ status: 422, code: 'KeyMismatch', field: 'certificate' })
    expect(await field(put(mine, world.authority.certificate))).toMatchObject({ status: 422, code: 'IssuerUnknown' })
    expect(await field(put(mine, root.certificate))).toMatchObject({
      status: 422,
      code: 'WouldLockOut',
      field: 'bundle',
    })
    expect(await shown()).toBe(before)
    await restartAgent()
    expect(await shown()).toBe(before)
  })

  test('the new certificate is shown at once, and after a restart and a power cut', async () => {
    const certificate = await root.sign(await csr(), 'worker-1')
    const { serialNumber } = new X509Certificate(certificate)
    expect(await put(certificate)).toMatchObject({ status: 200, body: { serialNumber } })
    expect(await shown()).toBe(serialNumber)
    const ca = root.certificate
    expect(await call('/v1/facts', { ca })).toMatchObject({ status: 200, body: { hostname: 'worker-1' } })
    await expect(call('/v1/facts')).rejects.toThrow(/certificate|signature|issuer/)
    await host.run(['systemctl', 'restart', 'keelson-agent'])
    const answers = async () => (await call('/v1/facts', { ca })).status === 200
    await eventually('the agent answers', answers, 30_000)
    expect(await shown()).toBe(serialNumber)
    await host.powerCut()
    await host.powerOn()
    await eventually('the agent answers', answers, 30_000)
    expect(await shown()).toBe(serialNumber)
    expect(await host.read(['stat', '--format=%a', '/var/lib/keelson/trust/identity.json'])).toBe('600')
  })
})
