import { expect, test } from 'vitest'
import { hashPassword, verifyPassword } from './password-hash.ts'

test('is argon2id as OWASP asks for at least, with a salt of its own', async () => {
  const [one, two] = [await hashPassword('the words'), await hashPassword('the words')]
  const [, memory, passes, parallelism, salt, tag] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]{22})\$([^$]{43})$/.exec(one)!
  expect([Number(memory) >= 19_456, Number(passes) >= 2, parallelism]).toEqual([true, true, '1'])
  expect(two).not.toContain(salt)
  expect(two).not.toContain(tag)
})

test('is verified', async () => {
  const hash = await hashPassword('the words')
  expect(await verifyPassword('the words', hash)).toBe(true)
  expect(await verifyPassword('the words ', hash)).toBe(false)
  expect(await verifyPassword('', hash)).toBe(false)
  for (const none of [undefined, '', '$argon2id$', 'the words'])
    expect(await verifyPassword('the words', none)).toBe(false)
})

// From RFC 9106's reference implementation: `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 24 -e`.
test('is what other programs make of it', async () => {
  const other = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  expect(await verifyPassword('password', other)).toBe(true)
  expect(await verifyPassword('Password', other)).toBe(false)
})

test('composed and decomposed characters are the same', async () => {
  expect(await verifyPassword('für Übung', await hashPassword('für Übung'.normalize('NFD')))).toBe(true)
})

test('an unknown account costs as much memory and passes as a known one', async () => {
  // Without a hash a whole one is made too: it takes its turn among the others.
  const hash = await hashPassword('the words')
  const order: string[] = []
  await Promise.all([
    ...[1, 2, 3].map(async () => verifyPassword('the words', hash).then(() => order.push('known'))),
    verifyPassword('the words', undefined).then(() => order.push('unknown')),
    ...[1, 2, 3].map(async () => verifyPassword('the words', hash).then(() => order.push('known'))),
  ])
  expect(order.indexOf('unknown')).toBeGreaterThan(0)
})
