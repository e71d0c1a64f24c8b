import { format, inspect } from 'node:util'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { SecretValue } from './secret-value.ts'

const secret = new SecretValue('hunter2')

test('it is taken out on purpose only', () => {
  expect(secret.reveal()).toBe('hunter2')
})

test.each([
  ['a template', () => `${secret as unknown as string}!`],
  ['JSON', () => JSON.stringify({ parameters: [{ key: 'a', value: secret }] })],
  ['inspect', () => inspect({ secret }, { showHidden: true, depth: 9, customInspect: true })],
  ['format', () => format('%s %o %j', secret, secret, secret)],
  ['an error', () => new Error(`no ${String(secret)}`, { cause: secret }).stack ?? ''],
  ['its properties', () => JSON.stringify([Object.entries(secret), Object.getOwnPropertyNames(secret)])],
])('%s does not show it', (_, show) => {
  expect(show()).not.toContain('hunter2')
})

test('nor does the log', () => {
  const lines: string[] = []
  const logger = pino({ base: null }, { write: (line: string) => lines.push(line) })
  logger.info({ secret, err: new Error('failed', { cause: secret }) }, 'said')
  expect(lines.join('')).toContain('[redacted]')
  expect(lines.join('')).not.toContain('hunter2')
})
