import { gzipSync } from 'node:zlib'
import { array, assert, asyncProperty, string } from 'fast-check'
import { expect, test } from 'vitest'
import { targetListDigest, unpackTargetList } from './target-list.ts'

const pack = (names: readonly string[]) => Uint8Array.from(gzipSync(JSON.stringify(names)))

test('what was packed comes back, whatever the names are', async () => {
  await assert(
    asyncProperty(array(string({ unit: 'binary' })), async (names) => {
      expect(await unpackTargetList(pack(names), await targetListDigest(names))).toEqual(names)
    }),
  )
})

test('another list, a torn one and one that unpacks to far too much are refused', async () => {
  const digest = await targetListDigest(['a', 'b'])
  await expect(unpackTargetList(pack(['a', 'c']), digest)).rejects.toThrow('digest')
  await expect(unpackTargetList(pack(['a', 'b']).slice(0, -9), digest)).rejects.toBeInstanceOf(TypeError)
  await expect(unpackTargetList(Uint8Array.from(gzipSync(Buffer.alloc(20_000_000, 0x20))), digest)).rejects.toThrow(
    'longer than',
  )
})
