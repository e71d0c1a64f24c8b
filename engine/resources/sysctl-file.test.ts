import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mergeSysctlLines, persistedValues } from './sysctl-file.ts'

function merge(content: string, values: Readonly<Record<string, string>>): string {
  return mergeSysctlLines(Buffer.from(content), new Map(Object.entries(values))).toString()
}

describe('mergeSysctlLines', () => {
  test('begins a new file with a comment, sorted by key', () => {
    const made = merge('', { 'vm.swappiness': '10', 'net.ipv4.ip_forward': '1' }).split('\n')
    expect(made.filter((line) => !line.startsWith('#'))).toEqual(['net.ipv4.ip_forward = 1', 'vm.swappiness = 10', ''])
    expect(made[0]).toMatch(/^# Keelson/)
  })

  test('puts a smaller key below the comment of its own file', () => {
    const merged = merge(merge('', { 'b.b': '1' }), { 'a.a': '1' })
    expect(merged).toMatch(/^# Keelson.*\n#.*\na\.a = 1\nb\.b = 1\n$/)
  })

  test('keeps comments, patterns, other keys and what it does not understand, byte for byte', () => {
    const before =
      '# mine\n\n; and mine\n-net.ipv4.conf.*.rp_filter = 0\na.a=1\n  b.b =\t2  \n# about c\nc.c = 3\nnonsense'
    expect(merge(before, { 'b.b': '4', 'd.d': '5' })).toBe(
      '# mine\n\n; and mine\n-net.ipv4.conf.*.rp_filter = 0\na.a=1\nb.b = 4\n# about c\nc.c = 3\nd.d = 5\nnonsense',
    )
  })

  test('ends the last line before it adds one', () => {
    expect(merge('a.a = 1', { 'b.b': '2' })).toBe('a.a = 1\nb.b = 2\n')
  })

  test('leaves a line that says the same alone, however it is written', () => {
    expect(merge('-a/a=1', { 'a.a': '1' })).toBe('-a/a=1')
  })

  test('makes one line of many with the same key', () => {
    expect(merge('a.a = 1\n-a/a = 2\nb.b = 0\na.a = 1\n', { 'a.a': '1' })).toBe('a.a = 1\nb.b = 0\n')
  })

  const key = fc.stringMatching(/^[a-c][.][a-c]$/)
  const value = fc
    .string({ unit: fc.constantFrom('0', '7', ' ', '=', '#', 'é', 'à', '\u00a0', '中'), maxLength: 5 })
    .map((text) => text.trim())
  const assignment = fc.tuple(key, value).map(([name, text]) => Buffer.from(`${name} = ${text}\n`))
  const foreign = fc.oneof(
    fc
      .constantFrom('# comment\n', '\n', '; x = y\n', 'a.* = 1\n', '-a.a\n', ' \t\n', '=\n', 'x\r\n')
      .map((text) => Buffer.from(text)),
    fc
      .uint8Array({ maxLength: 6 })
      .map((bytes) => Buffer.concat([Buffer.from('#'), bytes.filter((byte) => byte !== 10), Buffer.from('\n')])),
  )
  const file = fc.array(fc.oneof(assignment, foreign), { maxLength: 12 }).map((parts) => Buffer.concat(parts))
  const wanted = fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 }).map((record) => new Map(Object.entries(record)))

  function lines(content: Buffer): string[] {
    return content.toString('latin1').match(/[^\n]*\n/g) ?? []
  }
  function keyOf(line: string): string | undefined {
    return /^([a-c][.][a-c]) =/.exec(line)?.[1]
  }

  test('what was asked for is in the file afterwards, once, and wins at boot', () => {
    fc.assert(
      fc.property(file, wanted, (before, values) => {
        const after = mergeSysctlLines(before, values)
        const persisted = persistedValues(after)
        for (const [name, text] of values) {
          expect(persisted.get(name)).toBe(text)
          expect(lines(after).filter((line) => keyOf(line) === name)).toHaveLength(1)
        }
      }),
    )
  })

  test('every other line is there as it was, in the same order', () => {
    fc.assert(
      fc.property(file, wanted, (before, values) => {
        const others = (content: Buffer): string[] => lines(content).filter((line) => !values.has(keyOf(line) ?? ''))
        const after = others(mergeSysctlLines(before, values))
        expect(after.slice(before.length === 0 ? 2 : 0)).toEqual(others(before))
      }),
    )
  })

  test('doing it again changes nothing', () => {
    fc.assert(
      fc.property(file, wanted, (before, values) => {
        const once = mergeSysctlLines(before, values)
        expect(mergeSysctlLines(once, values)).toEqual(once)
      }),
    )
  })

  test('a file that only Keelson writes stays sorted', () => {
    fc.assert(
      fc.property(fc.array(wanted, { maxLength: 6 }), (requests) => {
        const content = requests.reduce<Buffer>(mergeSysctlLines, Buffer.alloc(0))
        const keys = lines(content)
          .map(keyOf)
          .filter((name) => name !== undefined)
        expect(keys).toEqual(keys.toSorted())
      }),
    )
  })
})
