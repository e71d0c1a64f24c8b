import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { HttpServer } from './http-server.ts'

const host = '127.0.0.1'
const start = async () =>
  HttpServer.start(
    { host, port: 0 },
    {
      '/fine': () => ({ status: 200, body: 'ok\n' }),
      '/fails': async () => Promise.reject(new Error('secret')),
    },
  )

async function ask(server: HttpServer, path: string, init: RequestInit = {}) {
  const response = await fetch(`http://${host}:${server.port}${path}`, init)
  return { status: response.status, body: await response.text() }
}

test('answers what there is, and tells nothing of what fails', async () => {
  await using server = await start()
  expect(await ask(server, '/fine')).toEqual({ status: 200, body: 'ok\n' })
  expect(await ask(server, '/fine?verbose')).toEqual({ status: 200, body: 'ok\n' })
  expect(await ask(server, '/fine', { method: 'HEAD' })).toEqual({ status: 200, body: '' })
  expect(await ask(server, '/other')).toMatchObject({ status: 404 })
  expect(await ask(server, '/__proto__')).toMatchObject({ status: 404 })
  expect(await ask(server, '/constructor')).toMatchObject({ status: 404 })
  expect(await ask(server, '/fine', { method: 'POST', body: 'x' })).toMatchObject({ status: 405 })
  expect(await ask(server, '/fails')).toEqual({ status: 500, body: 'this failed\n' })
})

test('a header that is too long is refused, and one connection too many closed', async () => {
  await using server = await start()
  expect(await ask(server, '/fine', { headers: { long: 'x'.repeat(9_000) } })).toMatchObject({ status: 431 })
  const sockets = []
  for (let each = 0; each < 70; each++) {
    const socket = connect(server.port, host).on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
  }
  const last = sockets.at(-1)!
  expect(await text(last)).toBe('')
  expect(sockets.filter(({ readyState }) => readyState === 'open').length).toBeLessThanOrEqual(64)
  for (const socket of sockets) socket.destroy()
})

test('ends at once, also where somebody stays connected', async () => {
  const server = await start()
  const idle = connect(server.port, host).on('error', () => undefined)
  await once(idle, 'connect')
  const closed = once(idle, 'close')
  idle.resume()
  await server[Symbol.asyncDispose]()
  await closed
  expect(idle.destroyed).toBe(true)
})

test('an address that is taken is an error', async () => {
  await using server = await start()
  await expect(HttpServer.start({ host, port: server.port }, {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
