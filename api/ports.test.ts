import { expect, test } from 'vitest'
import { isPortRefused } from './ports.ts'

test('these ports are refused and no other', () => {
  const refused = Array.from({ length: 65_536 }, (_, port) => port).filter(isPortRefused)
  expect(refused).toEqual([22, 2379, 2380, 6443, 10250, 10255, 10256, 10257, 10258, 10259])
})
