import { createPrivateKey, X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import { agentPort } from '@keelson/api'
import { productVersion } from '@keelson/api/product-version'
import { expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { enrolHost } from '../world/enrolment.ts'
import { change, type Requests } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

const folder = '/var/lib/keelson/tls'

let world: World
let requests: Requests
sharedWorld({}, (shared) => ({ world, requests } = shared))

const file = (host: string, path: string) => world.host(host).read(['cat', path])

/** The certificate that the agent of a host shows. */
async function shown(host: string): Promise<X509Certificate> {
  const { name, address } = world.host(host)
  const { certificate, key } = await world.requestCertificate()
  const socket = connect({
    ...{ host: address, port: agentPort, servername: name, timeout: 5_000 },
    ...{ cert: certificate, key, rejectUnauthorized: false },
  })
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>()
  socket.once('secureConnect', () => resolve(socket.getPeerX509Certificate()!))
  socket.on('error', reject).once('timeout', () => reject(new Error('no handshake')))
  return promise.finally(() => socket.destroy())
}

const isOf = (certificate: X509Certificate, root: string) => {
  const issuer = new X509Certificate(root)
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

async function field(kind: string, name: string, key: string): Promise<string | undefined> {
  const found = JSON.parse(await world.kubectl('get', kind, name, '--namespace=keelson-system', '--output=json')) as {
    data: Readonly<Record<string, string>>
  }
  return found.data[key]
}

test('an enrolled host: its own key, for nobody else to read, a certificate for its name, and nothing of the cluster', async () => {
  for (const { name } of world.lab.hosts) {
    const certificate = new X509Certificate(await file(name, `${folder}/tls.crt`))
    expect(certificate.subjectAltName).toBe(`DNS:${name}`)
    expect(certificate.checkPrivateKey(createPrivateKey(await file(name, `${folder}/tls.key`)))).toBe(true)
    expect(isOf(certificate, await file(name, `${folder}/ca.crt`))).toBe(true)
    expect((await shown(name)).fingerprint256).toBe(certificate.fingerprint256)
    const modes = await world.host(name).read(['stat', '--format=%a %U', folder, `${folder}/tls.key`])
    expect(modes).toBe('700 root\n600 root')
    const left = [
      'find',
      '/etc/keelson',
      '/var/lib/keelson',
      '/opt/keelson',
      '-name',
      '*kubeconfig*',
      '-o',
      '-name',
      '*token*',
    ]
    expect(await world.host(name).read(left)).toBe('')
  }
  const signed = await world.kubectl('get', 'certificatesigningrequests', '--output=jsonpath={.items[*].spec.username}')
  expect(new Set(signed.split(' '))).toEqual(new Set(['system:serviceaccount:keelson-system:keelson-installer']))
})

test('the agent tells its host that it listens, and in which version, for as long as it does', async () => {
  const host = world.host('worker-1')
  const told = async (): Promise<unknown> => JSON.parse(await file('worker-1', '/run/keelson/agent.json'))
  const expected = {
    version: productVersion,
    pid: expect.any(Number) as number,
    address: host.address,
    port: agentPort,
  }
  expect(await told()).toEqual(expected)
  await host.run(['systemctl', 'stop', 'keelson-agent'])
  expect((await host.read(['ls', '/run'])).split('\n')).not.toContain('keelson')
  await host.run(['systemctl', 'start', 'keelson-agent'])
  expect(await eventually('it listens again', () => told().catch(() => undefined))).toEqual(expected)
})

test('a host that lost its certificate enrols again, by a new Pod and with a new key', async () => {
  const host = world.host('worker-1')
  const before = await shown('worker-1')
  await host.run(['systemctl', 'stop', 'keelson-agent'])
  await host.run(['rm', '-r', folder])
  await enrolHost(world.cluster, host)
  const after = await eventually('the agent is back', () => shown('worker-1'))
  expect(after.publicKey.equals(before.publicKey)).toBe(false)
  await eventually('the operator reaches it', async () => {
    const { status } = await requests.send(
      `again-${crypto.randomUUID()}`,
      change(['worker-1'], 'sysctl', { 'net.ipv4.ip_forward': '1' }),
    )
    return status?.state === 'SUCCESS'
  })
})

test('the root is replaced while a host is powered off; it is found again by what the old root has certified', async () => {
  const names = world.lab.hosts.map(({ name }) => name)
  const old = world.authority.certificate
  await world.host('worker-2').powerCut()
  await world.kubectl('wait', '--for=condition=Ready=False', 'host/worker-2', '--timeout=20s')
  await world.kubectl(
    ...['annotate', 'secret', '--namespace=keelson-system', 'keelson-agent-ca', 'keelson.dev/rotate=now'],
  )
  // The next leader begins with a look at it; this one would in half a minute.
  await world.stopOperator()
  await world.startOperator()
  await eventually(
    'a new root signs',
    async () => (await field('secret', 'keelson-agent-ca', 'previous.crt')) !== undefined,
    30_000,
  )
  const root = Buffer.from((await field('secret', 'keelson-agent-ca', 'ca.crt'))!, 'base64').toString()
  expect(new X509Certificate(root).subject).not.toBe(new X509Certificate(old).subject)
  for (const name of names.filter((each) => each !== 'worker-2'))
    await eventually(`${name} is of the new root`, async () => isOf(await shown(name), root), 30_000)
  expect((await field('configmap', 'keelson-agent-trust', 'ca.crt'))?.match(/BEGIN/g)).toHaveLength(2)

  await world.host('worker-2').powerOn()
  await eventually('worker-2 is of the new root', async () => isOf(await shown('worker-2'), root), 40_000)
  await eventually(
    'the old root is gone',
    async () => (await field('secret', 'keelson-agent-ca', 'previous.crt')) === undefined,
    30_000,
  )
  expect(await field('configmap', 'keelson-agent-trust', 'ca.crt')).toBe(root)
  await world.hostsReady()
  const { status } = await requests.send('after', change(names, 'sysctl', { 'net.ipv4.ip_forward': '0' }))
  expect(status).toMatchObject({ state: 'SUCCESS', counts: { succeeded: 3 } })
})
