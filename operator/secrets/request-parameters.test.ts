import type { HostRequest } from '@keelson/api'
import { KubeClient } from '@keelson/kube'
import { expect, test } from 'vitest'
import { specOf } from '../testing/objects.ts'
import { readParameters } from './request-parameters.ts'

/** Of a server that is not there: what does not ask it needs none. */
const client = new KubeClient({ server: 'https://127.0.0.1:1', credentials: {}, fieldManager: 'test' })
const request = { metadata: { name: 'r', namespace: 'default' } } as HostRequest
const { signal } = new AbortController()
const fromSecret = [{ key: 'b', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }]

test.each([{ port: 8080, scheme: 'https' }, { port: 8080 }, { port: 7117, scheme: 'http' }] as const)(
  'a Secret is not even read for %o, whatever let it through',
  async (where) => {
    const { http } = specOf({ http: { ...where, parameters: fromSecret } })
    await expect(readParameters(client, request, http, signal)).rejects.toMatchObject({ reason: 'SpecRefused' })
  },
)

test('where nothing comes from a Secret nothing is read, and there is nothing to redact', async () => {
  const parameters = [{ key: 'a', value: '' }]
  const { http } = specOf({ http: { parameters } })
  expect(await readParameters(client, request, http, signal)).toEqual({ parameters })
})
