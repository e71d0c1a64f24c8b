import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { destinationAfterSignIn } from './destination.ts'

const origin = 'https://console.example'

test.each([
  ['/hosts?state=Offline#top', '/hosts?state=Offline#top'],
  ['/requests/default/reboot', '/requests/default/reboot'],
  ['/a/../hosts', '/hosts'],
])('%s is a page of ours', (wanted, expected) => {
  expect(destinationAfterSignIn(wanted, origin)).toBe(expected)
})

test.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/..//evil.example',
  '/.//evil.example',
  '/%2e//evil.example',
  'https://evil.example/',
  'https:evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  'hosts',
  '',
  undefined,
  ['/hosts'],
  '/sign-in?next=/sign-in',
  '/bootstrap',
])('%s leads to the overview', (wanted) => {
  expect(destinationAfterSignIn(wanted, origin)).toBe('/')
})

test('whatever is asked for, the browser stays on this site', () => {
  const piece = fc.oneof(
    fc.constantFrom('/', '\\', '.', '..', '//', '@', ':', '?', '#', '\t', '\n', 'evil.example', '%2f', '%5c', 'http:'),
    fc.string({ maxLength: 6, unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = destinationAfterSignIn(pieces.join(''), origin)
      expect(new URL(path, origin).origin).toBe(origin)
      expect(path.startsWith('/')).toBe(true)
      expect(path.startsWith('//')).toBe(false)
      // What it leads to leads to itself: no second reading gives another place.
      expect(destinationAfterSignIn(path, origin)).toBe(path)
    }),
    { numRuns: 2_000 },
  )
})
