import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { agentPort } from '@keelson/api'
import { buildConnector, Client } from 'undici'
import { members } from './member.ts'
import { answer } from './subprocess.ts'

/**
 * The peer: what a person who knows undici writes to send one request to many hosts. One client a host, one TLS context for all, so many at
 * a time, the answer read to its end. Nothing is watched, written down, checked or told.
 *
 * Arguments: folder with ca.crt, tls.crt and tls.key, number of hosts, requests at a time.
 */
const [, , folder, count, parallelism] = process.argv
const [ca, cert, key] = await Promise.all(
  ['ca.crt', 'tls.crt', 'tls.key'].map((name) => readFile(join(folder!, name), 'utf8')),
)
const secureContext = createSecureContext({ ca: ca!, cert: cert!, key: key!, minVersion: 'TLSv1.3' })
const hosts = members(Number(count)).map(({ name, address }) => {
  const connect = buildConnector({ secureContext, servername: name, allowH2: false })
  const client = new Client(`https://${address}:${agentPort}`, { connect, pipelining: 1, keepAliveTimeout: 600_000 })
  return { name, client }
})
const body = JSON.stringify({ 'vm.swappiness': '10' })
let round = 0

export type Loop = typeof loop
const loop = {
  /** One request to every host; in milliseconds. */
  send: async () => {
    round += 1
    const begin = performance.now()
    const rest = hosts.values()
    const worker = async () => {
      for (const { name, client } of rest) {
        const headers = { 'content-type': 'application/json', 'idempotency-key': `loop/${round}/${name}` }
        const response = await client.request({ method: 'POST', path: '/v1/sysctl', headers, body })
        await response.body.text()
        if (response.statusCode !== 200) throw new Error(`${name} answered ${response.statusCode}`)
      }
    }
    await Promise.all(Array.from({ length: Number(parallelism) }, worker))
    return performance.now() - begin
  },
}
answer(loop)
