import { CertificateAuthority } from '@keelson/testbed'
import { beforeAll, expect, test } from 'vitest'
import { verifyCertificate } from './verify.ts'

type Changes = {
  readonly name?: string
  readonly usage?: 'server' | 'client'
  readonly from?: number
  readonly to?: number
}

const now = new Date()
const hour = 3_600_000
let authority: CertificateAuthority
let stranger: CertificateAuthority
beforeAll(async () => {
  authority = await CertificateAuthority.create('agents')
  stranger = await CertificateAuthority.create('agents')
})

async function issue({ name = 'node1', usage = 'server', from = -hour, to = hour }: Changes, by = authority) {
  return by.issue({
    ...{ subject: `CN=${name}`, dnsNames: [name], usages: [usage] },
    notBefore: new Date(now.getTime() + from),
    notAfter: new Date(now.getTime() + to),
  })
}

test('a good one, by any root of the bundle', async () => {
  const { certificate, key } = await issue({})
  for (const bundle of [authority.certificate, `${stranger.certificate}\n${authority.certificate}`]) {
    const end = verifyCertificate({ bundle, certificate, key }, { name: 'node1' }, now)
    expect(Math.abs(end.getTime() - now.getTime() - hour)).toBeLessThan(1_000)
  }
})

test.each<[string, Changes, RegExp]>([
  ['for another host', { name: 'node2' }, /does not bear that name/],
  ['for a wildcard', { name: '*.example.org' }, /does not bear that name/],
  ['for clients', { usage: 'client' }, /is not one for servers/],
  ['expired', { to: -1_000 }, /has expired .* enrol again, or correct the clock/],
  ['not valid yet', { from: 60_000 }, /is not valid before .* correct the clock/],
])('%s', async (_case, changes, message) => {
  const pair = await issue(changes)
  const verify = () => verifyCertificate({ bundle: authority.certificate, ...pair }, { name: 'node1' }, now)
  expect(verify).toThrow(expect.objectContaining({ code: 'CertificateRefused' }))
  expect(verify).toThrow(message)
})

test('by another root of the same name, of another key, with no root at all', async () => {
  const pair = await issue({}, stranger)
  const verify =
    (bundle: string, key = pair.key) =>
    () =>
      verifyCertificate({ ...pair, bundle, key }, { name: 'node1' }, now)
  expect(verify(authority.certificate)).toThrow(/not signed by a root of the cluster/)
  expect(verify(stranger.certificate, (await issue({})).key)).toThrow(/is for another key/)
  expect(verify('')).toThrow(/holds no root/)
})
