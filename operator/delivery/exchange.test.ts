import { expect, test } from 'vitest'
import { Receiver } from '../testing/receiver.ts'
import { Deadline } from './deadline.ts'
import { exchange } from './exchange.ts'
import { HostPools } from './host-pools.ts'
import { messageOf } from './message.ts'

test('an exchange that ran out of time leaves the deadline of the next attempt alone', async () => {
  await using host = await Receiver.start({ answer: () => undefined })
  await using pools = new HostPools(() => ({ ca: '', certificate: '', key: '' }))
  using deadline = new Deadline(30_000, new AbortController().signal)
  const endpoint = { host: 'worker-1', address: '127.0.0.1', port: host.port, scheme: 'http' } as const
  using lease = await pools.lease(endpoint, 'Kept', deadline)
  const message = messageOf({ method: 'POST', path: '/', parameters: [] })
  const exchanged = exchange(lease.connection, message, deadline, { sent: false }, 50)
  await expect(exchanged).rejects.toMatchObject({ code: 'HeadersTimeout' })
  const { promise, resolve } = Promise.withResolvers<Error>()
  deadline.enter('Connect', resolve, 50)
  expect(await promise).toMatchObject({ code: 'ConnectTimeout' })
})
