import { describe, expect, test } from 'vitest'
import { DeliveryRecords } from './delivery-records.ts'
import { SimulatedDisk } from './simulated-disk.fixture.ts'

const limits = { keys: 3, ageMs: 1_000, rewriteBytes: 10_000 }

class Clock {
  ms = 0
  readonly now = (): number => this.ms
}

async function open(disk: SimulatedDisk, clock: Clock): Promise<DeliveryRecords> {
  const records = new DeliveryRecords(disk, clock.now, limits)
  await records.load()
  return records
}

async function add(records: DeliveryRecords, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    await records.intend(undefined, { key, digest: 'd' })
    await records.answer(key, { status: 200, body: key })
  }
}

const found = (records: DeliveryRecords): string[] => ['a', 'b', 'c', 'd', 'e'].filter((key) => records.find(key))

describe('what is kept', () => {
  test('is the latest keys, oldest forgotten first, here and on the disk', async () => {
    const [disk, clock] = [new SimulatedDisk(), new Clock()]
    const records = await open(disk, clock)
    await add(records, 'a', 'b', 'c', 'd', 'e')
    expect(found(records)).toEqual(['c', 'd', 'e'])
    expect(found(await open(disk.reopened(), clock))).toEqual(['c', 'd', 'e'])
  })

  test('is what is not too old', async () => {
    const [disk, clock] = [new SimulatedDisk(), new Clock()]
    const records = await open(disk, clock)
    await add(records, 'a')
    clock.ms = 1_000
    await add(records, 'b')
    expect(found(records)).toEqual(['a', 'b'])
    clock.ms = 1_001
    await add(records, 'c')
    expect(found(records)).toEqual(['b', 'c'])
    clock.ms = 2_001
    expect(found(await open(disk.reopened(), clock))).toEqual(['c'])
  })
})

test('the highest order holds, whatever came after it', async () => {
  const [disk, clock] = [new SimulatedDisk(), new Clock()]
  const records = await open(disk, clock)
  await records.intend({ epoch: 2, sequence: 1 }, undefined)
  await records.intend({ epoch: 1, sequence: 9 }, { key: 'a', digest: 'd' })
  const next = await open(disk.reopened(), clock)
  expect(next.highest).toEqual({ epoch: 2, sequence: 1 })
  // Written anew, and found again.
  await add(next, 'a', 'b', 'c', 'd')
  expect((await open(disk.reopened(), clock)).highest).toEqual({ epoch: 2, sequence: 1 })
})

test('the file stays within twice what holds, and what is in it is found again', async () => {
  const [disk, clock] = [new SimulatedDisk(), new Clock()]
  const records = await open(disk, clock)
  let largest = 0
  for (let index = 0; index < 50; index++) {
    await records.intend(undefined, { key: String(index), digest: 'd' })
    await records.answer(String(index), { status: 200, body: 'x'.repeat(500) })
    largest = Math.max(largest, (await disk.read()).length)
  }
  expect(largest).toBeGreaterThan(limits.rewriteBytes)
  expect(largest).toBeLessThan(limits.rewriteBytes + 1_000)
  const next = await open(disk.reopened(), clock)
  expect(next.find('49')).toMatchObject({ answer: { status: 200 } })
  expect(next.find('46')).toBeUndefined()
})

test('damaged lines are passed over and counted; what a power cut left at the end is not', async () => {
  const [disk, clock] = [new SimulatedDisk(), new Clock()]
  await add(await open(disk, clock), 'a', 'b', 'c')
  const bytes = Buffer.from(await disk.read())
  bytes[bytes.indexOf('"b"')] = 0x58
  const torn = Buffer.concat([bytes, Buffer.from('0badc0de {"key"'), Buffer.alloc(9)])
  const records = new DeliveryRecords(new SimulatedDisk(torn), clock.now, limits)
  expect(await records.load()).toEqual({ keys: 3, damagedLines: 1 })
  expect(records.find('b')).toMatchObject({ answer: { body: 'b' } })
})
