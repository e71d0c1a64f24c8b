import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CertificateAuthority } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPki, type Pki } from './agent.fixture.ts'
import { readConfig, readTls } from './config.ts'

let folder: string
let pki: Pki<CertificateAuthority>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-config-'))
  pki = await createPki(await CertificateAuthority.create('keelson'))
})
afterAll(async () => rm(folder, { recursive: true }))

const good = { name: 'node1', address: '192.0.2.1', tls: '/var/lib/keelson/tls' }

async function configOf(content: unknown): Promise<unknown> {
  const path = join(folder, 'agent.json')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return readConfig(path)
}

describe('readConfig', () => {
  test('the port has a default', async () => {
    expect(await configOf(good)).toEqual({ ...good, port: 7117 })
  })

  test.each([
    [{ ...good, name: 'node1.example.org', port: 1 }],
    [{ ...good, address: '2001:db8::1', port: 65_535 }],
    [{ ...good, address: '127.0.0.1' }],
  ])('takes %j', async (settings) => {
    expect(await configOf(settings)).toMatchObject(settings)
  })

  test.each([
    ['no name', { ...good, name: undefined }, /agent\.json: name: give the name of the Host/],
    ['a name with capitals', { ...good, name: 'Node1' }, /name: give the name of the Host object as/],
    ['no address', { ...good, address: undefined }, /address: give the IP address of this machine/],
    ['a name as address', { ...good, address: 'node1' }, /address: give an IP address, not a name/],
    ['all addresses', { ...good, address: '0.0.0.0' }, /address: give the one address of the Host/],
    ['all addresses, IPv6', { ...good, address: '::' }, /address: give the one address of the Host/],
    ['port 0', { ...good, port: 0 }, /port: a port is 1 to 65535/],
    ['a port as text', { ...good, port: '7117' }, /port: give a port number/],
    ['no tls', { ...good, tls: undefined }, /tls: give the folder/],
    ['a relative tls', { ...good, tls: 'tls' }, /tls: give an absolute path/],
    ['a setting that nothing honours', { ...good, debug: true }, /unknown settings debug: remove them/],
    ['two at once', { ...good, port: 0, address: 'x' }, /address: .*; port: /],
    ['an array', [], /agent\.json: /],
    ['no JSON', '{', /agent\.json is not JSON: correct it/],
  ])('%s', async (_case, content, message) => {
    await expect(configOf(content)).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string }),
    )
  })

  test('a file that is not there', async () => {
    await expect(readConfig(join(folder, 'nope.json'))).rejects.toThrow(
      /nope\.json cannot be read \(ENOENT\): write the configuration there/,
    )
  })
})

describe('readTls', () => {
  const settings = () => ({ ...good, port: 7117, tls: folder })

  async function put(files: Partial<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>): Promise<void> {
    const all = {
      'ca.crt': pki.authority.certificate,
      'tls.crt': pki.agent.certificate,
      'tls.key': pki.agent.key,
      ...files,
    }
    for (const [name, content] of Object.entries(all)) await writeFile(join(folder, name), content)
  }

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
      code: 'CONFIG_INVALID',
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
