import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CertificateAuthority } from '@keelson/testbed'
import { beforeEach, expect, test } from 'vitest'
import { readConfiguration } from './configuration.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-configuration-'))
  const authority = await CertificateAuthority.create('agents')
  const { certificate, key } = await authority.issue({ subject: 'CN=operator', usages: ['client'] })
  await write({ 'ca.crt': authority.certificate, 'tls.crt': certificate, 'tls.key': key })
  return () => rm(folder, { recursive: true })
})

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}

const read = (...args: string[]) => readConfiguration([`--tls=${folder}`, ...args])

test('defaults', async () => {
  const { tls, ...rest } = await read()
  const day = 86_400_000
  expect(rest).toEqual({
    ...{
      kubeconfig: undefined,
      factsIntervalMs: 30_000,
      agentLifetimeMs: 30 * day,
      allowLoopback: false,
      serviceRanges: [],
    },
    leaseTimes: { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
    metricsAddress: { host: undefined, port: 8080 },
  })
  expect(await readConfiguration([])).toEqual({ ...rest, tls: undefined })
  expect(tls?.ca).toContain('BEGIN CERTIFICATE')
  expect(tls?.certificate).toContain('BEGIN CERTIFICATE')
  expect(tls?.key).toContain('BEGIN PRIVATE KEY')
})

test('what is given', async () => {
  expect(await read('--kubeconfig=/etc/k', '--facts-interval-seconds=3600', '--allow-loopback')).toMatchObject({
    ...{ kubeconfig: '/etc/k', factsIntervalMs: 3_600_000, allowLoopback: true },
  })
  expect(await read('--facts-interval-seconds', '1')).toMatchObject({ factsIntervalMs: 1_000 })
})

test.each(['', '0', '3601', '-1', '1.5', '1e3', '0x10', ' 5', 'often', 'Infinity'])(
  'an interval of %j is refused by name',
  async (interval) => {
    await expect(read(`--facts-interval-seconds=${interval}`)).rejects.toMatchObject({
      code: 'ConfigurationRefused',
      message: '--facts-interval-seconds: give a whole number of seconds from 1 to 3600',
    })
  },
)

test.each(['599', '7776001', 'long'])('a lifetime of %j is refused by name', async (lifetime) => {
  await expect(read(`--agent-certificate-lifetime-seconds=${lifetime}`)).rejects.toMatchObject({
    code: 'ConfigurationRefused',
    message: '--agent-certificate-lifetime-seconds: give a whole number of seconds from 600 to 7776000',
  })
})

test.each([
  ['127.0.0.1:9090', { host: '127.0.0.1', port: 9090 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
  [':1', { host: undefined, port: 1 }],
  ['0', undefined],
])('the address of metrics %s', async (address, metricsAddress) => {
  expect((await read(`--metrics-address=${address}`)).metricsAddress).toEqual(metricsAddress)
})

test.each(['', ':', ':0', ':65536', '8080', 'localhost:8080', '::1:8080', '[127.0.0.1]:1', '1.2.3:4', ':80 ', '1:2:3'])(
  'an address of metrics %j is refused by name',
  async (address) => {
    await expect(read(`--metrics-address=${address}`)).rejects.toMatchObject({
      code: 'ConfigurationRefused',
      message: '--metrics-address: give [ADDRESS]:PORT, as :8080 or 127.0.0.1:8080, or 0 for none',
    })
  },
)

const times = ([lease, renew, retry]: readonly [string, string, string]) => [
  ...[`--lease-duration-seconds=${lease}`, `--renew-deadline-seconds=${renew}`, `--retry-period-seconds=${retry}`],
]

test('times of the lease', async () => {
  expect(await read(...times(['3', '2', '1']))).toMatchObject({
    leaseTimes: { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 1_000 },
  })
})

test.each([
  [['2', '2', '1'], '--lease-duration-seconds: give a whole number of seconds from 3 to 3600'],
  [['10', '10', '2'], '--lease-duration-seconds: give more than --renew-deadline-seconds'],
  [['15', '6', '5'], '--renew-deadline-seconds: give more than 1.2 times --retry-period-seconds'],
  [['15', '10', '0'], '--retry-period-seconds: give a whole number of seconds from 1 to 3600'],
] as const)('times of the lease of %j are refused by name', async (given, message) => {
  await expect(read(...times(given))).rejects.toMatchObject({ code: 'ConfigurationRefused', message })
})

test.each(['ca.crt', 'tls.crt', 'tls.key'])('a missing %s is named, with its folder and the setting', async (name) => {
  await rm(join(folder, name))
  await expect(read()).rejects.toMatchObject({
    code: 'ConfigurationRefused',
    message: `--tls: ${join(folder, name)} cannot be read (ENOENT): the folder must hold ca.crt, tls.crt and tls.key`,
  })
})

test('a certificate and a key that do not belong together are refused at the start', async () => {
  const stranger = await CertificateAuthority.create('others')
  await write({ 'tls.key': (await stranger.issue({ subject: 'CN=x', usages: ['client'] })).key })
  await expect(read()).rejects.toMatchObject({
    code: 'ConfigurationRefused',
    message: expect.stringContaining('--tls: '),
  })
})

test('what is no PEM is refused, without its content', async () => {
  await write({ 'tls.key': 's3cret' })
  const error = await read().catch((thrown: unknown) => thrown as Error)
  expect(error).toMatchObject({ code: 'ConfigurationRefused', message: expect.stringContaining('--tls: ') })
  expect((error as Error).message).not.toContain('s3cret')
})

test('an option that there is not is named', async () => {
  await expect(read('--tsl=/x')).rejects.toThrow("'--tsl'")
  await expect(read('stray')).rejects.toThrow("'stray'")
})
