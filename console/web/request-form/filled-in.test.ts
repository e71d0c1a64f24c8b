import { expect, test } from 'vitest'
import { filledIn } from './filled-in.ts'

const request = {
  method: 'POST' as const,
  url: 'https://{host}:7117/v1/sysctl?a={host}',
  headers: ['idempotency-key: u-1/0/{uid}', 'x: {uid}'],
  body: '{"a":"{host}{uid}"}',
}

test('name and uid of a host stand where the operator puts them, and nowhere else', () => {
  expect(filledIn(request, { host: 'worker-1', uid: '$&' })).toEqual({
    method: 'POST',
    url: 'https://worker-1:7117/v1/sysctl?a={host}',
    headers: ['idempotency-key: u-1/0/$&', 'x: {uid}'],
    body: '{"a":"{host}{uid}"}',
  })
  expect(filledIn(request, { host: 'worker-1', uid: undefined }).headers).toEqual(request.headers)
})
