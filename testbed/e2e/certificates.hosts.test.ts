import { connect, type ConnectionOptions } from 'node:tls'
import { agentPort } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { CertificateAuthority, type KeyPair } from '../pki.ts'
import { change, type Requests } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
let stranger: CertificateAuthority
sharedWorld({}, async (shared) => {
  ;({ world, requests } = shared)
  stranger = await CertificateAuthority.create(world.authority.name)
})

const yesterday = { notBefore: new Date(Date.now() - 172_800_000), notAfter: new Date(Date.now() - 86_400_000) }
const identity = 'request.keelson.dev'
const asOperator = { subject: `CN=${identity}`, dnsNames: [identity], usages: ['client'] } as const
const asHost = (name: string) => ({ subject: `CN=${name}`, dnsNames: [name], usages: ['server'] }) as const

/** What worker-1's agent says to a client with this certificate: its answer, nothing, or the error by which the connection ends. */
async function answerTo(pair: KeyPair | undefined): Promise<string> {
  const { name, address } = world.host('worker-1')
  const own: ConnectionOptions = pair === undefined ? {} : { cert: pair.certificate, key: pair.key }
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port: agentPort,
      servername: name,
      ca: world.authority.certificate,
      ...own,
      timeout: 5_000,
    })
    let answer = ''
    socket.on('data', (part: Buffer) => (answer += part.toString()))
    socket.on('error', (error) => resolve(String(error)))
    socket.on('timeout', () => socket.destroy(new Error('no answer')))
    socket.on('end', () => resolve(answer))
    socket.write(`GET /v1/facts HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
  })
}

describe('the agent refuses a client', () => {
  test('but not the operator', async () => {
    expect(await answerTo(await world.authority.issue(asOperator))).toMatch(/^HTTP\/1\.1 200 OK[^]*bootID/)
  })

  test('without a certificate', async () => {
    expect(await answerTo(undefined)).not.toContain('HTTP/1.1')
  })

  test('with an expired certificate', async () => {
    expect(await answerTo(await world.authority.issue({ ...asOperator, ...yesterday }))).not.toContain('HTTP/1.1')
  })

  test('with a certificate of another authority, even one of the same name', async () => {
    expect(await answerTo(await stranger.issue(asOperator))).not.toContain('HTTP/1.1')
  })

  test('with the certificate of another host', async () => {
    expect(await answerTo(await world.agentCertificate('worker-2'))).not.toContain('HTTP/1.1')
  })

  test('with a client certificate of our own authority that is not the operator', async () => {
    const pair = await world.authority.issue({ subject: 'CN=worker-2', dnsNames: ['worker-2'], usages: ['client'] })
    const said = await answerTo(pair)
    expect(said).toMatch(/^HTTP\/1\.1 403/)
    expect(said).not.toContain('bootID')
  })
})

describe('the operator refuses an agent', () => {
  const key = 'net.ipv4.ip_forward'

  /** What comes of a request to worker-2 while something else than its agent listens there, and says yes to all that it is asked. */
  async function outcomeWith(pair: KeyPair | undefined): Promise<string> {
    const host = world.host('worker-2')
    const options = JSON.stringify(pair === undefined ? {} : { cert: pair.certificate, key: pair.key })
    const create = pair === undefined ? 'http' : 'https'
    const server = `require('node:${create}').createServer(${options}, (request, response) => response.end('{}')).listen(${agentPort}, '${host.address}')`
    await host.run(['systemctl', 'stop', 'keelson-agent'])
    try {
      await host.run([
        'systemd-run',
        '--quiet',
        '--collect',
        '--unit=impostor',
        '/opt/keelson/current/bin/node',
        '--eval',
        server,
      ])
      await eventually(
        'the impostor listens',
        async () => (await host.read(['ss', '-Hltn', `sport = :${agentPort}`])) !== '',
      )
      return await outcome()
    } finally {
      await host.run(['systemctl', 'stop', 'impostor'])
      await host.run(['systemctl', 'start', 'keelson-agent'])
    }
  }

  async function outcome(): Promise<string> {
    const { status } = await requests.send(
      `certificate-${crypto.randomUUID()}`,
      change(['worker-2'], 'sysctl', { [key]: '1' }),
    )
    const [failure] = status?.failures ?? []
    return status?.state === 'SUCCESS' ? 'SUCCESS' : `${failure?.reason} ${failure?.host}: ${failure?.message}`
  }

  test('that shows the certificate of another host', async () => {
    expect(await outcomeWith(await world.agentCertificate('worker-1'))).toMatch(
      /^TLSFailed worker-2: .*DNS:worker-1, not for DNS:worker-2/,
    )
  })

  test('that shows a certificate of another authority, even one of the same name', async () => {
    expect(await outcomeWith(await stranger.issue(asHost('worker-2')))).toMatch(
      /^TLSFailed worker-2: .*(verify|issuer|signature)/i,
    )
  })

  test('that shows an expired certificate', async () => {
    expect(await outcomeWith(await world.authority.issue({ ...asHost('worker-2'), ...yesterday }))).toMatch(
      /^TLSFailed worker-2: .*expired/i,
    )
  })

  test("that shows a client's certificate, the operator's own", async () => {
    expect(await outcomeWith(await world.authority.issue(asOperator))).toMatch(/^TLSFailed worker-2: /)
  })

  test('that has no certificate', async () => {
    expect(await outcomeWith(undefined)).toMatch(/^TLSFailed worker-2: /)
  })

  test('but not one with its right certificate', async () => {
    expect(await outcomeWith(await world.agentCertificate('worker-2'))).toBe('SUCCESS')
    expect(await world.host('worker-2').read(['sysctl', '-n', key])).toBe('0')
    await eventually('the agent itself is back', async () => (await outcome()) === 'SUCCESS')
    expect(await world.host('worker-2').read(['sysctl', '-n', key])).toBe('1')
  })
})
