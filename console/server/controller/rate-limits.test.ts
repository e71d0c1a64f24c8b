import { describe, expect, test } from 'vitest'
import { password, TestConsole } from '../testing/console.fixture.ts'
import { networkOf } from './call-limits.ts'

const proxy = { configuration: { trustedProxies: ['127.0.0.1'] } } as const

describe('rate limit', () => {
  test('of wrong passwords for one account, from whatever address', async () => {
    await using server = await TestConsole.start(proxy)
    await server.person('ada')
    await server.person('eve')
    const statuses = []
    for (let guess = 0; guess < 11; guess += 1) {
      const headers = { 'x-forwarded-for': `203.0.113.${guess}` }
      statuses.push((await server.browser().signIn('ada', 'wrong', { headers })).status)
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429])
    const headers = { 'x-forwarded-for': '203.0.113.99' }
    const refused = await server.browser().signIn('ada', password, { headers })
    expect(refused).toMatchObject({ status: 429, body: { code: 'TooManyCalls' } })
    const retryAfter = Number(refused.headers['retry-after'])
    expect(retryAfter).toBeGreaterThan(0)
    expect((await server.browser().signIn('eve', password, { headers })).status).toBe(200)
    server.clock.pass(retryAfter * 1_000)
    expect((await server.browser().signIn('ada', password, { headers })).status).toBe(200)
  })

  test('of wrong passwords from one address, for whatever account', async () => {
    await using server = await TestConsole.start(proxy)
    await server.person('ada')
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
    const statuses = []
    for (let guess = 0; guess < 21; guess += 1)
      statuses.push((await server.browser().signIn(`somebody${guess}`, 'wrong', from('2001:db8::1'))).status)
    expect(statuses).toEqual([...Array<number>(20).fill(401), 429])
    // The same network of IPv6, then another one.
    expect((await server.browser().signIn('ada', password, from('2001:db8::ffff'))).status).toBe(429)
    expect((await server.browser().signIn('ada', password, from('2001:db8:0:1::1'))).status).toBe(200)
  })

  test('counts attempts side by side', async () => {
    await using server = await TestConsole.start()
    await server.person('ada')
    const browsers = Array.from({ length: 15 }, () => server.browser())
    const answers = await Promise.all(browsers.map(async (browser) => browser.signIn('ada', 'wrong')))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10)
  })

  test('never counts right passwords', async () => {
    await using server = await TestConsole.start()
    await server.person('ada')
    for (let time = 0; time < 15; time += 1) expect((await server.browser().signIn('ada', password)).status).toBe(200)
  })

  test('of the present password of somebody who is signed in', async () => {
    await using server = await TestConsole.start()
    const browser = await server.signedIn('ada')
    const statuses = []
    for (let guess = 0; guess < 11; guess += 1)
      statuses.push(
        (await browser.post('/api/profile/password', { current: 'wrong', next: 'quite another password' })).status,
      )
    expect(statuses).toEqual([...Array<number>(10).fill(403), 429])
  })

  test('of calls in general, generously, by address', async () => {
    await using server = await TestConsole.start(proxy)
    const browser = server.browser()
    const statuses = await Promise.all(
      Array.from({ length: 310 }, async () => (await browser.get('/api/session')).status),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(300)
    expect(statuses.filter((status) => status === 429)).toHaveLength(10)
    const headers = { 'x-forwarded-for': '203.0.113.9' }
    expect((await browser.get('/api/session', { headers })).status).toBe(200)
    server.clock.pass(20)
    expect((await browser.get('/api/session')).status).toBe(200)
  })

  test('of calls in general, by account', async () => {
    await using server = await TestConsole.start(proxy)
    const browser = await server.signedIn('ada')
    const statuses = []
    for (let call = 0; call < 310; call += 1) {
      const headers = { 'x-forwarded-for': `203.0.113.${call % 100}` }
      statuses.push((await browser.get('/api/profile/sessions', { headers })).status)
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(5)
  })
})

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:DB8:0:0:1:2:3:4', '2001:db8:0:0'],
  ['2001:db8:1::', '2001:db8:1:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s is of the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
