import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CertificateAuthority } from '@keelson/testbed'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPki, type Pki } from '../agent.fixture.ts'
import { encodeIdentity, readTls, trustPaths, type TlsMaterial } from './tls-material.ts'

let folder: string
let pki: Pki<CertificateAuthority>
beforeAll(async () => {
  pki = await createPki(await CertificateAuthority.create('keelson'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-tls-'))
})
afterEach(async () => rm(folder, { recursive: true }))

const settings = () => ({
  name: 'node1',
  address: '192.0.2.1',
  port: 7117,
  tls: folder,
  state: join(folder, 'state'),
  requireOrder: false,
})

async function put(files: Partial<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>): Promise<void> {
  const all = {
    'ca.crt': pki.authority.certificate,
    'tls.crt': pki.agent.certificate,
    'tls.key': pki.agent.key,
    ...files,
  }
  for (const [name, content] of Object.entries(all)) await writeFile(join(folder, name), content)
}

async function material(name = 'node1', authority = pki.authority, notAfter?: Date): Promise<TlsMaterial> {
  const pair = await authority.issue({
    subject: `CN=${name}`,
    dnsNames: [name],
    usages: ['server'],
    ...(notAfter ? { notAfter } : {}),
  })
  return { ca: Buffer.from(authority.certificate), cert: Buffer.from(pair.certificate), key: Buffer.from(pair.key) }
}

async function renew(content: TlsMaterial | Buffer, over?: string): Promise<void> {
  const { identity } = trustPaths(settings().state)
  await mkdir(join(identity, '..'), { recursive: true })
  await writeFile(
    identity,
    Buffer.isBuffer(content) ? content : encodeIdentity(content, over === undefined ? undefined : Buffer.from(over)),
  )
}

describe('as enrolled', () => {
  test('certificate, key and authority as they are', async () => {
    await put({})
    expect(await readTls(settings(), new Date())).toEqual({
      ca: Buffer.from(pki.authority.certificate),
      cert: Buffer.from(pki.agent.certificate),
      key: Buffer.from(pki.agent.key),
    })
  })

  test.each([
    ['ca.crt', /ca\.crt is not a certificate/],
    ['tls.crt', /tls\.crt is not a certificate/],
    ['tls.key', /tls\.key is not a private key/],
  ] as const)('%s that is damaged', async (file, message) => {
    await put({ [file]: 'damaged' })
    await expect(readTls(settings(), new Date())).rejects.toThrow(message)
  })

  test('a key that belongs to another certificate, and it is not quoted', async () => {
    await put({ 'tls.key': pki.operator.key })
    const refused = await readTls(settings(), new Date()).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'AgentConfigurationRefused',
      message: expect.stringMatching(/tls\.key is not the key of/) as string,
    })
    expect((refused as Error).message).not.toContain(pki.operator.key.slice(40, 60))
  })

  test('a certificate of another host', async () => {
    await put({})
    const other = { ...settings(), name: 'node2' }
    await expect(readTls(other, new Date())).rejects.toThrow(
      /tls\.crt is not for the DNS name node2: correct the setting name/,
    )
  })

  test('a certificate with the name in its subject only', async () => {
    const { certificate, key } = await pki.authority.issue({ subject: 'CN=node1', usages: ['server'] })
    await put({ 'tls.crt': certificate, 'tls.key': key })
    await expect(readTls(settings(), new Date())).rejects.toThrow(/tls\.crt is not for the DNS name node1/)
  })

  test('a certificate that has expired', async () => {
    await put({})
    const later = new Date(Date.now() + 48 * 3_600_000)
    await expect(readTls(settings(), later)).rejects.toThrow(/tls\.crt has expired: enrol this machine again/)
  })

  test('a folder that is not there', async () => {
    const nowhere = { ...settings(), tls: '/nowhere' }
    await expect(readTls(nowhere, new Date())).rejects.toThrow(/\/nowhere\/.* cannot be read \(ENOENT\): enrol/)
  })
})

describe('as renewed', () => {
  test('takes over from what was enrolled', async () => {
    const renewed = await material()
    await put({})
    await renew(renewed, pki.agent.certificate)
    expect(await readTls(settings(), new Date())).toEqual(renewed)
  })

  test('gives way to what was enrolled since, also if that bears an earlier date', async () => {
    const again = await pki.authority.issue({
      subject: 'CN=node1',
      dnsNames: ['node1'],
      usages: ['server'],
      notBefore: new Date(Date.now() - 100 * 3_600_000),
    })
    await renew(await material(), pki.agent.certificate)
    await put({ 'tls.crt': again.certificate, 'tls.key': again.key })
    expect(await readTls(settings(), new Date())).toMatchObject({ cert: Buffer.from(again.certificate) })
  })

  test('is enough alone', async () => {
    const renewed = await material()
    await renew(renewed)
    expect(await readTls(settings(), new Date())).toEqual(renewed)
  })

  test('helps out where what was enrolled since is no good', async () => {
    const renewed = await material()
    await renew(renewed, pki.agent.certificate)
    await put({ 'tls.crt': pki.operator.certificate, 'tls.key': pki.operator.key })
    expect(await readTls(settings(), new Date())).toEqual(renewed)
  })

  test.each([
    ['has expired', async () => material('node1', pki.authority, new Date(Date.now() - 1_000))],
    ['is damaged', async () => Buffer.from('{"key":"secret"')],
    ['is of another host', async () => material('node2')],
    ['has the key of another', async () => ({ ...(await material()), key: Buffer.from(pki.operator.key) })],
  ])('is passed by where it %s', async (_case, make) => {
    await put({})
    await renew(await make(), pki.agent.certificate)
    expect(await readTls(settings(), new Date())).toMatchObject({ cert: Buffer.from(pki.agent.certificate) })
  })

  test('what is wrong with it is told where nothing else is left, and it is not quoted', async () => {
    await renew(Buffer.from('{"key":"secret"'))
    const refused = await readTls(settings(), new Date()).catch((error: unknown) => error as Error)
    expect(refused).toMatchObject({
      code: 'AgentConfigurationRefused',
      message: expect.stringMatching(/trust\/identity\.json is damaged: enrol/) as string,
    })
    expect(refused).not.toMatchObject({ message: expect.stringContaining('secret') as string })
  })

  test('bundles of two roots are kept whole', async () => {
    const another = await CertificateAuthority.create('keelson')
    const ca = Buffer.from(`${pki.authority.certificate}\n${another.certificate}`)
    await renew({ ...(await material()), ca })
    expect(await readTls(settings(), new Date())).toMatchObject({ ca })
  })
})
