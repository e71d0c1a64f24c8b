import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { HostRequestStatus } from '../host-request-status.ts'
import { HostStatus } from '../host.ts'
import type { CustomResourceDefinition } from './custom-resource-definition.ts'
import { customResourceDefinitions } from './kinds.ts'
import { largestHostStatus, largestRequestStatus } from './largest-status.ts'

const definitions = Object.entries(customResourceDefinitions()).map(
  ([file, text]) => [file, parse(text) as CustomResourceDefinition] as const,
)

test('one file for each kind', () => {
  const names = definitions.map(([file, { metadata, spec }]) => [file, metadata.name, spec.names, spec.scope])
  expect(names).toMatchObject([
    ['hosts.keelson.dev.yaml', 'hosts.keelson.dev', { kind: 'Host', categories: ['keelson'] }, 'Cluster'],
    [
      'hostrequests.keelson.dev.yaml',
      'hostrequests.keelson.dev',
      { kind: 'HostRequest', shortNames: ['hreq'], categories: ['keelson'] },
      'Namespaced',
    ],
  ])
})

test.each(definitions)('%s has a status of its own and is small enough for kubectl apply', (_, definition) => {
  expect(definition.spec.versions).toMatchObject([{ name: 'v1alpha1', subresources: { status: {} } }])
  // Client-side apply keeps the whole object in an annotation, which has a limit.
  expect(JSON.stringify(definition).length).toBeLessThan(262_144)
})

test('the largest status of a HostRequest is one, and far from what etcd takes', () => {
  const status = largestRequestStatus('中')
  expect(() => HostRequestStatus.parse(status)).not.toThrow()
  expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(256 * 1024)
})

test('the largest status of a Host is one', () => {
  expect(() => HostStatus.parse(largestHostStatus('中'))).not.toThrow()
})
