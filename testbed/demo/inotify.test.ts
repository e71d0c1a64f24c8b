import { expect, test } from 'vitest'
import { hostsByInotify } from './inotify.ts'

test.each([
  ['the default of a kernel', 128, 0, 6],
  ['others hold some', 128, 30, 4],
  ['a control plane alone', 31, 0, 1],
  ['not even that', 31, 1, 0],
  ['plenty', 8_192, 0, 454],
])('%s: %i instances, %i of them taken, are enough for %i hosts', (_, limit, used, hosts) => {
  expect(hostsByInotify(limit, used)).toBe(hosts)
})
