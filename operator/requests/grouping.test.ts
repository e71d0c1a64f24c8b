import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { grouped, type Group } from './grouping.ts'

type Kind = { readonly words: string }

const words = fc.constantFrom(...Array.from({ length: 20 }, (_, index) => `w${index}`))
const host = (index: number) => `h${String(index).padStart(3, '0')}`
const single = (what: string, index: number): Group<Kind> => ({
  kind: { words: what },
  count: 1,
  sample: [host(index)],
})
const keyOf = ({ words: what }: Kind) => what

test('counts add up, hosts are the first by name, the most frequent come first and the rest last, however it came', () => {
  fc.assert(
    fc.property(fc.array(words, { maxLength: 80 }), fc.infiniteStream(fc.nat()), (said, shuffle) => {
      const parts = said.map((what, index) => single(what, index))
      const rank = parts.map(() => shuffle.next().value as number)
      const shuffled = parts.map((_, index) => index).toSorted((a, b) => rank[a]! - rank[b]!)
      const groups = grouped(parts, keyOf)
      expect(
        grouped(
          shuffled.map((index) => parts[index]!),
          keyOf,
        ),
      ).toEqual(groups)
      expect(groups.length).toBe(Math.min(16, new Set(said).size))
      expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(said.length)
      const known = groups.filter(({ kind }) => kind !== undefined)
      for (const { kind, count, sample } of known) {
        const members = said.flatMap((what, index) => (what === kind!.words ? [host(index)] : []))
        expect([count, sample]).toEqual([members.length, members.slice(0, 3)])
      }
      const counts = known.map(({ count }) => count)
      expect(counts).toEqual(counts.toSorted((a, b) => b - a))
      expect(groups.findIndex(({ kind }) => kind === undefined)).toBe(new Set(said).size > 16 ? 15 : -1)
    }),
  )
})

test('groups of groups are the groups of all, as long as there are few', () => {
  fc.assert(
    fc.property(fc.array(words, { maxLength: 80 }), fc.nat(80), (said, cut) => {
      const few = said.map((what) => what.slice(0, 2))
      const parts = few.map((what, index) => single(what, index))
      const told = grouped(parts.slice(0, cut), keyOf)
      expect(grouped([...told, ...parts.slice(cut)], keyOf)).toEqual(grouped(parts, keyOf))
    }),
  )
})
