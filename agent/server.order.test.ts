import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { beforeAll, describe, expect, test } from 'vitest'
import { createPki, RunningAgent, type Answer, type Pki } from './agent.fixture.ts'

const forward = '/proc/sys/net/ipv4/ip_forward'
const files = { [forward]: '0\n' }
const set = (value: string) => ({ 'net.ipv4.ip_forward': value })
const key = '5c1f0b1e-9a7c-4f5e-8a56-2b7a0e4a9d11-1-/0/0d1c2b3a-0000-4000-8000-123456789abc'

let pki: Pki
beforeAll(async () => {
  pki = await createPki(await CertificateAuthority.create('keelson'))
})

const order = (epoch: number, sequence: number) => ({
  'keelson-epoch': String(epoch),
  'keelson-sequence': String(sequence),
})

async function running(agent: RunningAgent): Promise<string> {
  return (await readFile(join(agent.root, forward), 'utf8')).trim()
}

const code = ({ status, body }: Answer) => `${status} ${(body as { readonly code?: string }).code ?? ''}`

/** A host's systemctl that takes part in the test: it says when it restarts a unit, and goes on when it is told. */
const slowSystemctl = `case "$*" in
*show*) printf 'Id=slow.service\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\nCanStart=yes\\nCanStop=yes\\n';;
*restart*) echo restart >> "$root/restarts"; while [ ! -e "$root/go" ]; do sleep 0.02; done;;
esac`

describe('Idempotency-Key', () => {
  const headers = { 'idempotency-key': key }

  test('a repeated delivery gets the recorded answer and does nothing, over a restart too', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const first = await agent.post('sysctl', set('1'), { headers })
    expect(first).toMatchObject({ status: 200, body: { changed: true } })
    expect(first.headers).not.toHaveProperty('idempotency-replayed')
    await writeFile(join(agent.root, forward), '0\n')
    for (let round = 0; round < 2; round++) {
      const again = await agent.post('sysctl', set('1'), { headers })
      expect(again).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' } })
      expect(again.body).toEqual(first.body)
      expect(await running(agent)).toBe('0')
      await agent.restart()
    }
  })

  test('a refusal is recorded as well', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const refused = { status: 422, body: { code: 'KeyUnknown' } }
    expect(await agent.post('sysctl', { 'net.nope': '1' }, { headers })).toMatchObject(refused)
    const again = await agent.post('sysctl', { 'net.nope': '1' }, { headers })
    expect(again).toMatchObject({ ...refused, headers: { 'idempotency-replayed': 'true' } })
  })

  test('another body or path under the same key: 422, and nothing is done', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    await agent.post('sysctl', set('1'), { headers })
    expect(code(await agent.post('sysctl', set('0'), { headers }))).toBe('422 IdempotencyKeyReused')
    expect(code(await agent.post('hostname', set('1'), { headers }))).toBe('422 IdempotencyKeyReused')
    expect(await running(agent)).toBe('1')
  })

  test('one that is not a key: 400, before anything else', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const bad = await agent.post('sysctl', set('1'), { headers: { 'idempotency-key': 'x' } })
    expect(bad).toMatchObject({ status: 400, body: { code: 'IdempotencyKeyRefused', field: 'Idempotency-Key' } })
    expect(await running(agent)).toBe('0')
  })

  test('a read is not recorded', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const path = '/v1/sysctl?key=net.ipv4.ip_forward'
    await agent.call({ path, headers })
    expect(code(await agent.post('sysctl', set('1'), { headers }))).toBe('200 ')
    const after = await agent.call({ path, headers })
    expect(after).toMatchObject({ body: set('1') })
    expect(after.headers).not.toHaveProperty('idempotency-replayed')
  })

  test('while it is in hand: 409 InFlight, also when the first client has gone; then its answer', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    await agent.program('/usr/bin/systemctl', slowSystemctl)
    const restarts = async () => (await agent.text('/restarts')).split('\n').length - 1
    const body = { name: 'slow.service', state: 'restarted' }
    const gone = new AbortController()
    const first = agent.post('systemdUnit', body, { headers, signal: gone.signal }).catch((error: unknown) => error)
    await eventually('it is in hand', async () => (await restarts()) === 1)
    const second = await agent.post('systemdUnit', body, { headers })
    expect(code(second)).toBe('409 InFlight')
    expect(second.headers).toMatchObject({ 'retry-after': '1' })
    expect(code(await agent.post('systemdUnit', { ...body, state: 'stopped' }, { headers }))).toMatch(/^422 /)
    gone.abort()
    await first
    expect(code(await agent.post('systemdUnit', body, { headers }))).toBe('409 InFlight')
    await writeFile(join(agent.root, 'go'), '')
    const answer = await eventually('it is done', async () => {
      const again = await agent.post('systemdUnit', body, { headers })
      return again.status === 200 && again
    })
    expect(answer).toMatchObject({ body: { changed: true }, headers: { 'idempotency-replayed': 'true' } })
    expect(await restarts()).toBe(1)
  })

  test('an act that the agent did not see the end of: 409 OutcomeUnknown, for good, and it is not done again', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    await agent.program('/usr/bin/systemctl', slowSystemctl)
    const body = { name: 'slow.service', state: 'restarted' }
    const first = agent.post('systemdUnit', body, { headers }).catch((error: unknown) => error)
    await eventually('it is in hand', async () => (await agent.text('/restarts')) === 'restart\n')
    await agent.restart()
    expect(await first).toMatchObject({ code: 'ECONNRESET' })
    await writeFile(join(agent.root, 'go'), '')
    for (let round = 0; round < 2; round++) {
      const again = await agent.post('systemdUnit', body, { headers })
      expect(code(again)).toBe('409 OutcomeUnknown')
      expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' })
    }
    expect(await agent.text('/restarts')).toBe('restart\n')
  })

  test('the log names it', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    await agent.post('sysctl', set('1'), { headers })
    const line = await eventually('it is logged', () => agent.log.find(({ msg }) => msg === 'request'))
    expect(line).toMatchObject({ path: '/v1/sysctl', key })
  })
})

describe('Keelson-Epoch and Keelson-Sequence', () => {
  async function send(agent: RunningAgent, epoch: number, sequence: number): Promise<string> {
    return code(await agent.post('sysctl', set('1'), { headers: order(epoch, sequence) }))
  }

  test('less than the highest, and the highest itself, are refused with nothing done, over a restart too', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    expect(await send(agent, 3, 7)).toBe('200 ')
    await writeFile(join(agent.root, forward), '0\n')
    for (let round = 0; round < 2; round++) {
      for (const [epoch, sequence] of [
        [3, 7],
        [3, 6],
        [2, 9_999],
      ] as const) {
        expect(await send(agent, epoch, sequence)).toBe('409 Superseded')
      }
      expect(await running(agent)).toBe('0')
      await agent.restart()
    }
    expect(await send(agent, 3, 8)).toBe('200 ')
    expect(await send(agent, 4, 0)).toBe('200 ')
    expect(await send(agent, 3, 9)).toBe('409 Superseded')
  })

  test('a recorded answer is given again whatever the order', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const headers = { 'idempotency-key': key, ...order(1, 1) }
    await agent.post('sysctl', set('1'), { headers })
    await send(agent, 2, 0)
    const again = await agent.post('sysctl', set('1'), { headers })
    expect(again).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' } })
  })

  test('hold for control and request together', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const tls = { cert: pki.control.certificate, key: pki.control.key }
    expect(code(await agent.post('trust/csr', {}, { tls, headers: order(2, 0) }))).toBe('200 ')
    expect(await send(agent, 1, 5)).toBe('409 Superseded')
  })

  test('are asked of no read', async () => {
    await using agent = await RunningAgent.start(pki, { files, requireOrder: true })
    expect(await agent.call({ path: '/v1/sysctl?key=net.ipv4.ip_forward' })).toMatchObject({ status: 200 })
  })

  test.each([
    [false, '200 '],
    [true, '400 OrderMissing'],
  ])('required: %s; a write without them: %s', async (requireOrder, expected) => {
    await using agent = await RunningAgent.start(pki, { files, requireOrder })
    await send(agent, 1, 1)
    expect(code(await agent.post('sysctl', set('1')))).toBe(expected)
    expect(code(await agent.post('sysctl', set('1'), { headers: { 'idempotency-key': key } }))).toBe(expected)
    expect(await send(agent, 1, 2)).toBe('200 ')
  })

  test('one that is no number: 400', async () => {
    await using agent = await RunningAgent.start(pki, { files })
    const answer = await agent.post('sysctl', set('1'), { headers: { ...order(1, 1), 'keelson-epoch': '-1' } })
    expect(answer).toMatchObject({ status: 400, body: { code: 'OrderRefused', field: 'Keelson-Epoch' } })
    expect(await running(agent)).toBe('0')
  })
})

test('a state that cannot be written: refused before the act, and reads go on', async () => {
  await using agent = await RunningAgent.start(pki, {
    files: { ...files, '/var/lib/keelson/deliveries.log.new/x': '' },
  })
  const headers = { 'idempotency-key': key }
  const refused = await agent.post('sysctl', set('1'), { headers })
  expect(refused).toMatchObject({ status: 500, body: { code: 'NotRecorded' } })
  expect(await running(agent)).toBe('0')
  expect(await agent.call({ path: '/v1/sysctl?key=net.ipv4.ip_forward' })).toMatchObject({ status: 200 })
  expect(agent.log).toContainEqual(expect.objectContaining({ msg: 'intent not recorded: write refused' }))
})

test('damaged records are told once, and what is whole in them holds', async () => {
  const line = 'deadbeef {"order":{"epoch":9,"sequence":9}}\n'
  await using agent = await RunningAgent.start(pki, { files: { ...files, '/var/lib/keelson/deliveries.log': line } })
  expect(agent.log).toEqual([expect.objectContaining({ level: 40, damagedLines: 1 })])
  expect(code(await agent.post('sysctl', set('1'), { headers: order(0, 0) }))).toBe('200 ')
})
