import { HostRequest, HostRequestSpec } from '@keelson/api'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { pausePatch } from '../../protocol/steering.ts'
import { commandText } from './command.ts'
import { createCommand, deleteCommand, patchCommand, sendCommand } from './requests.ts'

const key = { namespace: 'default', name: 'core-pattern' }
const value = `|/usr/share/apport/apport "%p" '%s' %c: # {}`
const spec = {
  workers: [],
  http: {
    port: 7117,
    api: '/v1/sysctl',
    method: 'POST' as const,
    check: 'Typed' as const,
    parameters: [
      { key: 'kernel.core_pattern', value },
      { key: 'vm.swappiness', value: '10' },
      { key: 'a', value: 'yes' },
    ],
  },
}

test('the manifest says the same, in whatever YAML takes for something else', () => {
  const { argv, input } = sendCommand(key, spec)
  expect(argv).toEqual(['kubectl', 'apply', '--filename=-'])
  const object = HostRequest.parse(parse(input!))
  expect(object.metadata).toEqual({ name: 'core-pattern', namespace: 'default' })
  expect(object.spec).toEqual(HostRequestSpec.parse(spec))
})

test('what deletes itself, and what must be another object each time, is created', () => {
  expect(sendCommand(key, { ...spec, ttlSecondsAfterFinished: 60 }).argv[1]).toBe('create')
  expect(createCommand(key, spec).argv[1]).toBe('create')
})

test('a patch is one word of the shell', () => {
  expect(commandText(patchCommand(key, pausePatch))).toBe(
    `kubectl patch hostrequest core-pattern --namespace=default --type=merge --patch '{"spec":{"suspend":true}}'`,
  )
  expect(commandText(deleteCommand(key))).toBe('kubectl delete hostrequest core-pattern --namespace=default')
})
