import { describe, expect, test } from 'vitest'
import { errorFromAnswer, InvalidError, ServerError, TooManyRequestsError } from './errors.ts'

const request = 'PUT /api/v1/nodes/a'

describe('errorFromAnswer', () => {
  test('429 comes with a text body: the status decides', () => {
    const body = 'Too many requests, please try again later.\n'
    const error = errorFromAnswer({ request, status: 429, body, retryAfter: '1' })
    expect(error).toBeInstanceOf(TooManyRequestsError)
    expect(error).toMatchObject({ code: 'TooManyRequests', status: 429, retryable: true, retryAfterSeconds: 1 })
    expect(error.message).toBe('PUT /api/v1/nodes/a: 429 Too many requests, please try again later.')
  })

  test('a LIST from the future is retryable and says when', () => {
    const details = {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    }
    const body = JSON.stringify({ kind: 'Status', reason: 'Timeout', message: 'Timeout: …', details })
    expect(errorFromAnswer({ request, status: 504, body })).toMatchObject({
      code: 'ServerTimeout',
      retryable: true,
      retryAfterSeconds: 1,
      causes: [{ reason: 'ResourceVersionTooLarge' }],
    })
  })

  test.each([
    [500, 'etcdserver: request is too large', InvalidError, false],
    [500, 'failed to create typed patch object (…): .spec.x: field not declared in schema', InvalidError, false],
    [500, 'etcdserver: leader changed', ServerError, true],
    [503, 'apiserver is shutting down', ServerError, true],
    [501, '<html>', ServerError, true],
    [415, 'unsupported media type', ServerError, false],
  ])('%i %s', (status, message, type, retryable) => {
    const error = errorFromAnswer({ request, status, body: JSON.stringify({ kind: 'Status', message }) })
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ status, retryable, retryAfterSeconds: undefined })
  })

  test('a Retry-After that is a date or nonsense is left out, a long one and a long text are cut', () => {
    expect(errorFromAnswer({ request, status: 503, body: '', retryAfter: '86400' }).retryAfterSeconds).toBe(60)
    const error = errorFromAnswer({ request, status: 503, body: 'x'.repeat(10_000), retryAfter: 'Wed, 21 Oct 2026' })
    expect(error.retryAfterSeconds).toBeUndefined()
    expect(error.message.length).toBeLessThan(2_200)
  })
})
