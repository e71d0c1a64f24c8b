import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExpiredError } from './errors.ts'
import type { KubernetesObject } from './object.ts'
import { readLines, readWatchEvents, type WatchEvent } from './watch-stream.ts'

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Cuts bytes at the given places, wherever those fall. */
function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const borders = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return borders.slice(1).map((end, index) => bytes.subarray(borders[index], end))
}

function read(text: string, maxLineBytes = 1_000): Promise<WatchEvent<KubernetesObject>[]> {
  return collect(readWatchEvents(stream([Buffer.from(text)]), 'GET /x', maxLineBytes))
}

const places = fc.array(fc.nat(10_000), { maxLength: 20 })

describe('a watch stream', () => {
  test('gives the same events wherever the network cuts it, also within a character', async () => {
    const object = fc.record({
      metadata: fc.record({
        name: fc.string({ unit: 'binary' }),
        resourceVersion: fc.string({ unit: 'grapheme', minLength: 1 }),
      }),
      data: fc.string({ unit: 'grapheme' }),
    })
    const event = fc.record({ type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'), object })
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 8 }), places, async (events, cuts) => {
        const bytes = Buffer.from(events.map((each) => `${JSON.stringify(each)}\n`).join(''))
        const seen = await collect(readWatchEvents(stream(cutAt(bytes, cuts)), 'GET /x', 100_000))
        expect(seen).toEqual(events.map((each) => ({ ...each, resourceVersion: each.object.metadata.resourceVersion })))
      }),
    )
  })

  test('bounds a line at its limit, however it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), places, async (length, cuts) => {
        const bytes = Buffer.from(`${'x'.repeat(length)}\n`)
        const lines = collect(readLines(stream(cutAt(bytes, cuts)), 20)).catch((error: unknown) => error)
        expect(await lines).toMatchObject(length <= 20 ? ['x'.repeat(length)] : { code: 'WatchUnreadable' })
      }),
    )
  })

  test('an endless line is refused when it is over the limit, not when it ends', async () => {
    let sent = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 10
        yield await Promise.resolve(Buffer.alloc(10, 'x'))
      }
    }
    await expect(collect(readLines(endless(), 100))).rejects.toMatchObject({ code: 'WatchUnreadable' })
    expect(sent).toBe(110)
  })

  test('a stream that ends within an event was cut off', async () => {
    await expect(read('{"type":"ADDED"')).rejects.toMatchObject({ code: 'ConnectionFailed', retryable: true })
  })

  test('an ERROR event with code 410 is an ExpiredError', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 223 (228)' }
    const error: unknown = await read(`${JSON.stringify({ type: 'ERROR', object: status })}\n`).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ExpiredError)
    expect(error).toMatchObject({ message: 'GET /x: 410 Expired too old resource version: 223 (228)' })
  })

  test.each([
    ['nonsense', 'this is s3cret'],
    ['a number', '5'],
    ['an unknown type', '{"type":"s3cret","object":{"metadata":{"name":"a","resourceVersion":"1"}}}'],
    ['no version', '{"type":"ADDED","object":{"metadata":{"name":"s3cret"}}}'],
    ['no object', '{"type":"ADDED"}'],
  ])('refuses %s', async (_, line) => {
    await expect(read(`${line}\n`)).rejects.toMatchObject({ code: 'WatchUnreadable' })
  })
})
