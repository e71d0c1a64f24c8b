import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { change, type Requests, type SpecInput } from '../world/requests.ts'
import { sharedWorld } from '../world/shared-world.ts'
import type { World } from '../world/world.ts'

let world: World
let requests: Requests
sharedWorld({}, (shared) => ({ world, requests } = shared))

const read = (host: string, ...argv: string[]) => world.host(host).read(argv)

describe('POST /v1/sysctl', () => {
  const key = 'net.ipv4.conf.all.rp_filter'

  test('sets the running value on the named host and on no other, and it lasts over a reboot', async () => {
    const before = await read('worker-2', 'sysctl', '-n', key)
    expect(before).not.toBe('2')
    const { status } = await requests.send('sysctl', change(['worker-1'], 'sysctl', { [key]: '2' }))
    expect(status).toMatchObject({ state: 'SUCCESS', progress: '1/1', msg: '1/1 hosts answered', failures: [] })
    expect(status?.counts).toEqual({ targets: 1, succeeded: 1, failed: 0, unknown: 0, skipped: 0 })
    expect(await read('worker-1', 'sysctl', '-n', key)).toBe('2')
    expect(await read('worker-2', 'sysctl', '-n', key)).toBe(before)

    await world.reboot('worker-1')
    expect(await read('worker-1', 'sysctl', '-n', key)).toBe('2')
    expect(await read('worker-1', 'grep', '-c', `^${key} *= *2$`, '/etc/sysctl.d/99-zz-keelson.conf')).toBe('1')
  })

  test('several keys go in one request; a wrong one among them changes nothing', async () => {
    const { status } = await requests.send(
      'sysctl-mixed',
      change(['worker-2'], 'sysctl', { 'net.ipv4.ip_forward': '1', 'net.no.such_key': '1' }),
    )
    expect(status).toMatchObject({ state: 'ERROR' })
    expect(status?.failures).toMatchObject([{ host: 'worker-2', reason: 'HTTPStatus', code: 422 }])
    expect(status?.msg).toContain('net.no.such_key')
    expect(await read('worker-2', 'sysctl', '-n', 'net.ipv4.ip_forward')).toBe('0')
  })

  test('takes a value from a Secret, which reaches the hosts and is shown nowhere', async () => {
    await world.kubectl('create', 'secret', 'generic', 'ports', '--from-literal=range=33333 60606')
    const parameter = {
      key: 'net.ipv4.ip_local_port_range',
      valueFrom: { secretKeyRef: { name: 'ports', key: 'range' } },
    }
    const { http, workers } = change(['worker-1', 'worker-2'], 'sysctl', {})
    const spec: SpecInput = { workers, http: { ...http, parameters: [parameter] }, answers: 'Sample' }
    const request = await requests.send('from-secret', spec)
    expect(request.status).toMatchObject({ state: 'SUCCESS', progress: '2/2', answers: [{ count: 2 }] })
    for (const host of ['worker-1', 'worker-2'])
      expect(await read(host, 'sysctl', '-n', parameter.key)).toBe('33333\t60606')
    const told = JSON.stringify(request) + (await readFile(world.operatorLog, 'utf8'))
    expect(told).toContain('from-secret')
    expect(told).not.toMatch(/33333|60606/)
  })

  test('a kernel that refuses the value is told by host, and nothing is left for the next boot', async () => {
    const { status } = await requests.send(
      'sysctl-refused',
      change(['worker-2'], 'sysctl', { 'net.ipv4.ip_forward': 'perhaps' }),
    )
    expect(status).toMatchObject({ state: 'ERROR', failures: [{ host: 'worker-2', reason: 'HTTPStatus' }] })
    expect(await read('worker-2', 'grep', '-rc', 'perhaps', '/etc/sysctl.d/')).not.toContain(':1')
  })
})

test('POST /v1/hostname sets the static name, now and after a reboot; the Host keeps its own', async () => {
  const { status } = await requests.send('hostname', change(['worker-1'], 'hostname', { static: 'edge-1' }))
  expect(status).toMatchObject({ state: 'SUCCESS' })
  expect(await read('worker-1', 'hostnamectl', '--static')).toBe('edge-1')
  expect(await read('worker-1', 'uname', '-n')).toBe('edge-1')
  expect(await read('worker-2', 'hostnamectl', '--static')).toBe('worker-2')

  await world.reboot('worker-1')
  expect(await read('worker-1', 'hostnamectl', '--static')).toBe('edge-1')
  expect(await world.kubectl('get', 'host', 'worker-1', '--output=name')).toBe('host.keelson.dev/worker-1')
})

describe('POST /v1/systemdUnit', () => {
  const unit = (more: Record<string, string>) => change(['worker-2'], 'systemdUnit', { name: 'nginx.service', ...more })
  const active = () => read('worker-2', 'systemctl', 'is-active', 'nginx')
  const enabled = () => read('worker-2', 'systemctl', 'is-enabled', 'nginx')

  test('starts', async () => {
    expect([await active(), await enabled()]).toEqual(['inactive', 'disabled'])
    expect((await requests.send('unit-start', unit({ state: 'started' }))).status).toMatchObject({ state: 'SUCCESS' })
    expect([await active(), await enabled()]).toEqual(['active', 'disabled'])
  })

  test('stops', async () => {
    expect((await requests.send('unit-stop', unit({ state: 'stopped' }))).status).toMatchObject({ state: 'SUCCESS' })
    expect([await active(), await enabled()]).toEqual(['inactive', 'disabled'])
  })

  test('enables, so that it runs after a reboot', async () => {
    expect((await requests.send('unit-enable', unit({ enabled: 'true' }))).status).toMatchObject({ state: 'SUCCESS' })
    expect([await active(), await enabled()]).toEqual(['inactive', 'enabled'])
    await world.reboot('worker-2')
    expect([await active(), await enabled()]).toEqual(['active', 'enabled'])
  })

  test('the agent does not stop itself', async () => {
    const { status } = await requests.send(
      'unit-self',
      change(['worker-2'], 'systemdUnit', { name: 'keelson-agent.service', state: 'stopped' }),
    )
    expect(status).toMatchObject({ state: 'ERROR', failures: [{ host: 'worker-2', code: 409 }] })
    expect(await read('worker-2', 'systemctl', 'is-active', 'keelson-agent')).toBe('active')
  })
})

describe('facts in Host.status', () => {
  const fact = (host: string, path: string) =>
    world.kubectl('get', 'host', host, `--output=jsonpath={.status.facts.${path}}`)

  test('equal what the host says of itself', async () => {
    const release = Object.fromEntries(
      (await read('control-plane', 'cat', '/etc/os-release')).split('\n').map((line) => line.split('=')),
    )
    const said = await Promise.all(
      ['kernelVersion', 'bootID', 'architecture', 'hostname', 'os.id', 'os.versionID', 'os.name'].map((path) =>
        fact('control-plane', path),
      ),
    )
    expect(said).toEqual([
      await read('control-plane', 'uname', '-r'),
      await read('control-plane', 'cat', '/proc/sys/kernel/random/boot_id'),
      await read('control-plane', 'uname', '-m'),
      'control-plane',
      release['ID'],
      release['VERSION_ID'].replaceAll('"', ''),
      release['PRETTY_NAME'].replaceAll('"', ''),
    ])
  })

  test('follow a reboot', async () => {
    const before = await fact('control-plane', 'bootID')
    await world.reboot('control-plane')
    const after = await read('control-plane', 'cat', '/proc/sys/kernel/random/boot_id')
    expect(after).not.toBe(before)
    await eventually('the Host has the new boot', async () => (await fact('control-plane', 'bootID')) === after, 20_000)
  })
})
