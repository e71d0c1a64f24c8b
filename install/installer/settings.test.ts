import { describe, expect, test } from 'vitest'
import { readSettings } from './settings.ts'

const needed = ['--node-name', 'node1', '--address', '10.0.0.1']

test('what the chart gives is enough', () => {
  expect(readSettings(needed)).toEqual({
    ...{ state: 'Present', hostRoot: '/host', image: '/opt/keelson', name: 'node1', address: '10.0.0.1' },
    ...{ kubeconfig: undefined, probes: { host: undefined, port: 8081 } },
  })
})

test('to take the agent away takes no name and no address', () => {
  expect(readSettings(['--state=Absent', '--probe-address=[::1]:9000'])).toMatchObject({
    ...{ state: 'Absent', probes: { host: '::1', port: 9000 } },
  })
})

describe('refused, with the argument and what to do', () => {
  test.each([
    [[], '--node-name: give'],
    [['--node-name', 'node1'], '--address: give the IP address'],
    [[...needed, '--address', 'node1'], '--address: give the IP address'],
    [[...needed, '--state', 'absent'], '--state: give Present or Absent'],
    [[...needed, '--host-root', 'host'], '--host-root: give the absolute path'],
    [[...needed, '--probe-address', '8081'], '--probe-address: give'],
    [[...needed, '--probe-address', ':0'], '--probe-address: give'],
  ])('%j', (args, words) => {
    expect(() => readSettings(args)).toThrow(
      expect.objectContaining({ code: 'ConfigurationRefused', message: expect.stringContaining(words) as string }),
    )
  })

  test('what there is not', () => {
    expect(() => readSettings([...needed, '--sate', 'Absent'])).toThrow(/--sate/)
  })
})
