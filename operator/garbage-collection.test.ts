import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { collectionFlags } from './garbage-collection.ts'

test('the V8 of this Node knows each flag', () => {
  // At run time an unknown one is only complained about; on the command line it is an error.
  const told = execFileSync(process.execPath, [...collectionFlags, '--print', '"begun"'], { encoding: 'utf8' })
  expect(told).toBe('begun\n')
})
