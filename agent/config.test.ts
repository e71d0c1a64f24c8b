import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-config-'))
})
afterAll(async () => rm(folder, { recursive: true }))

const good = { name: 'node1', address: '192.0.2.1', tls: '/var/lib/keelson/tls' }

async function configOf(content: unknown): Promise<unknown> {
  const path = join(folder, 'agent.json')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return readConfig(path)
}

describe('readConfig', () => {
  test('what is not given has a default', async () => {
    expect(await configOf(good)).toEqual({ ...good, port: 7117, state: '/var/lib/keelson', requireOrder: false })
  })

  test.each([
    [{ ...good, name: 'node1.example.org', port: 1 }],
    [{ ...good, address: '2001:db8::1', port: 65_535 }],
    [{ ...good, address: '127.0.0.1' }],
    [{ ...good, state: '/srv/keelson', requireOrder: true }],
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
    ['a relative state', { ...good, state: 'state' }, /state: give an absolute path/],
    ['an order that is neither required nor not', { ...good, requireOrder: 'yes' }, /requireOrder: give true or false/],
    ['a setting that nothing honours', { ...good, debug: true }, /unknown settings debug: remove them/],
    ['two at once', { ...good, port: 0, address: 'x' }, /address: .*; port: /],
    ['an array', [], /agent\.json: /],
    ['no JSON', '{', /agent\.json is not JSON: correct it/],
  ])('%s', async (_case, content, message) => {
    await expect(configOf(content)).rejects.toThrow(
      expect.objectContaining({ code: 'AgentConfigurationRefused', message: expect.stringMatching(message) as string }),
    )
  })

  test('a file that is not there', async () => {
    await expect(readConfig(join(folder, 'nope.json'))).rejects.toThrow(
      /nope\.json cannot be read \(ENOENT\): write the configuration there/,
    )
  })
})
