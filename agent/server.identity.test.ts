import { AgentError } from '@keelson/api'
import { CertificateAuthority } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPki, RunningAgent, type Pki } from './agent.fixture.ts'

const files = {
  '/proc/sys/kernel/hostname': 'node1\n',
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/sys/kernel/random/boot_id': 'b\n',
  '/proc/sys/net/ipv4/ip_forward': '0\n',
}

let pki: Pki
let agent: RunningAgent
beforeAll(async () => {
  pki = await createPki(await CertificateAuthority.create('keelson'))
  agent = await RunningAgent.start(pki, { files })
})
afterAll(async () => agent[Symbol.asyncDispose]())

async function answerTo(identity: 'request' | 'control', method: string, path: string): Promise<string> {
  const pair = identity === 'control' ? pki.control : pki.operator
  const json = { 'content-type': 'application/json' }
  const { status, body } = await agent.call({
    method,
    path,
    tls: { cert: pair.certificate, key: pair.key },
    ...(method === 'GET' ? {} : { headers: json, body: '{}' }),
  })
  return status === 200 ? '200' : `${status} ${AgentError.parse(body).code}`
}

describe('what each identity gets', () => {
  test.each([
    ['GET', '/v1/facts', '200', '200'],
    ['GET', '/v1/sysctl?key=net.ipv4.ip_forward', '200', '403 RequestOnly'],
    ['POST', '/v1/sysctl', '422 KeyCountRefused', '403 RequestOnly'],
    ['PUT', '/v1/hostname', '405 MethodRefused', '403 RequestOnly'],
    ['POST', '/v1/trust/csr', '403 ControlOnly', '200'],
    ['GET', '/v1/trust/csr', '403 ControlOnly', '405 MethodRefused'],
    ['PUT', '/v1/trust', '403 ControlOnly', '422 ParameterMissing'],
    ['GET', '/v1/trust', '403 ControlOnly', '405 MethodRefused'],
    ['GET', '/v1/trust/', '403 ControlOnly', '404 TypeUnknown'],
    ['GET', '/v1/trust/nope', '403 ControlOnly', '404 TypeUnknown'],
    ['PUT', '/v1/desired', '403 ControlOnly', '404 TypeUnknown'],
    ['POST', '/v1/plan', '403 ControlOnly', '404 TypeUnknown'],
    ['GET', '/v1/state?since=1&wait=1', '403 ControlOnly', '404 TypeUnknown'],
    ['GET', '/v1/nope', '404 TypeUnknown', '404 TypeUnknown'],
    ['GET', '/v1/trusted', '404 TypeUnknown', '404 TypeUnknown'],
    ['GET', '/v1/%74rust', '404 TypeUnknown', '404 TypeUnknown'],
    ['GET', '/v1//trust', '404 TypeUnknown', '404 TypeUnknown'],
    ['GET', '/v2/trust', '404 TypeUnknown', '404 TypeUnknown'],
  ])('%s %s', async (method, path, request, control) => {
    expect(await answerTo('request', method, path)).toBe(request)
    expect(await answerTo('control', method, path)).toBe(control)
  })

  test('where there is nothing, it hears of its own paths only', async () => {
    const tls = { cert: pki.control.certificate, key: pki.control.key }
    const words = async (options: object) =>
      AgentError.parse((await agent.call({ path: '/v1/nope', ...options })).body).message
    expect(await words({})).toMatch(/it has \/v1\/facts, \/v1\/hostname, \/v1\/sysctl, \/v1\/systemdUnit$/)
    expect(await words({ tls })).toMatch(/it has \/v1\/facts, \/v1\/trust, \/v1\/trust\/csr$/)
  })
})
