import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kinds } from '@keelson/kube'
import { CertificateAuthority, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hostRequestKind } from './kinds.ts'
import { loopbackAddress } from './testing/addresses.ts'
import { OperatorProcess, readLease } from './testing/operator-process.fixture.ts'
import { Receiver } from './testing/receiver.ts'
import { namespace, numbered, TestCluster } from './testing/test-cluster.fixture.ts'

// A busy machine must not cost the leader its lease.
const leaseMs = 10_000
const times = ['--lease-duration-seconds=10', '--renew-deadline-seconds=8', '--retry-period-seconds=1']
/** When the next leads at the latest after the last one fell silent; and as much again for a busy machine. */
const takeoverMs = (leaseMs + 1_200) * 2

const nodes = numbered(12, 'node')
const fixtures = new AsyncDisposableStack()
let cluster: TestCluster
let receiver: Receiver
let tls: string

beforeAll(async () => {
  cluster = fixtures.use(await TestCluster.start())
  receiver = fixtures.use(await Receiver.start({ address: loopbackAddress(1) }))
  cluster.defaults = { workers: nodes, parallelism: 1, http: { port: receiver.port } }
  for (const name of nodes) await cluster.register(name, { address: loopbackAddress(1) })
  tls = await mkdtemp(join(tmpdir(), 'keelson-replicas-'))
  const authority = await CertificateAuthority.create('agents')
  const issued = await authority.issue({
    subject: 'CN=operator',
    dnsNames: ['request.keelson.dev'],
    usages: ['client'],
  })
  const files = { 'ca.crt': authority.certificate, 'tls.crt': issued.certificate, 'tls.key': issued.key }
  for (const [name, content] of Object.entries(files)) await writeFile(join(tls, name), content)
})

afterAll(async () => {
  await fixtures.disposeAsync()
  await rm(tls, { recursive: true, force: true })
})

beforeEach(() => {
  receiver.received.length = 0
  receiver.abandoned = 0
  receiver.answer = (response) => response.end()
})

const start = (...more: string[]) => new OperatorProcess(cluster.kubeconfig, [`--tls=${tls}`, ...times, ...more])

/** Two replicas, the first of which leads and has brought the inventory up to date, and the second knows that. */
async function pair(...more: string[]) {
  const stack = new AsyncDisposableStack()
  const first = stack.use(start(...more))
  const epoch = await first.leads()
  const second = stack.use(start(...more))
  await second.says('the leader is known')
  await cluster.online()
  return { first, second, epoch, [Symbol.asyncDispose]: async () => stack.disposeAsync() }
}

function expectEachKeyOnce(): void {
  const keys = receiver.received.map(({ idempotencyKey }) => idempotencyKey)
  expect(new Set(keys).size).toBe(keys.length)
}

/** A run of which some hosts have answered and one does not. */
async function runThatHangs(): Promise<string> {
  const name = cluster.newName()
  receiver.answer = (response) => {
    if (receiver.received.length !== 3) response.end()
  }
  await cluster.apply(name, { timeoutSeconds: 60 })
  await eventually('the third host has it', () => receiver.received.length === 3)
  return name
}

describe('of two replicas', () => {
  test('one works; the other carries its run on within the lease time when it is killed', async () => {
    await using both = await pair()
    const { first, second, epoch } = both
    const name = await runThatHangs()
    expect(second.said).not.toContain('leading')
    first.signal('SIGKILL')
    receiver.answer = (response) => response.end()
    expect(await second.leads(epoch, takeoverMs)).toBe(epoch + 1)
    const status = await cluster.finished(name, 1, 20_000)
    // Parallelism 1 claims eight at a time; which of them were sent to nobody knows any more.
    expect(status).toMatchObject({
      ...{ state: 'ERROR', unknown: '0-7', succeeded: '8-11', run: { claim: '', epoch: epoch + 1 } },
      failures: nodes.slice(0, 8).map((host) => ({ host, reason: 'Interrupted' })),
    })
    expectEachKeyOnce()
    expect(receiver.received.length).toBe(3 + 4)
  })

  test('one hands over at once when it is told to stop, however long the lease is, and nothing that it claimed in vain is unknown', async () => {
    await using both = await pair('--lease-duration-seconds=3600')
    const { first, second, epoch } = both
    const name = await runThatHangs()
    expect(await readLease(cluster.admin)).toMatchObject({ leaseDurationSeconds: 3_600, leaseTransitions: epoch })
    first.signal('SIGTERM')
    // What hangs is given its time, and no more.
    expect(await second.leads(epoch)).toBe(epoch + 1)
    expect(await first.ended()).toBe(0)
    expect(first.said.at(-1)).toBe('operator stopped')
    receiver.answer = (response) => response.end()
    expect(await cluster.finished(name, 1, 20_000)).toMatchObject({
      ...{ state: 'ERROR', unknown: '2', succeeded: '0-1,3-11', run: { epoch: epoch + 1 } },
    })
    expectEachKeyOnce()
    expect(receiver.received.length).toBe(12)

    second.signal('SIGTERM')
    expect(await second.ended()).toBe(0)
    const { holderIdentity = '', leaseTransitions } = await readLease(cluster.admin)
    expect({ holderIdentity, leaseTransitions }).toEqual({ holderIdentity: '', leaseTransitions: epoch + 1 })
  })

  test('one that was stopped beyond the lease in the midst of a run sends nothing when it goes on, and writes nothing', async () => {
    await using both = await pair()
    const { first, second, epoch } = both
    const name = cluster.newName()
    receiver.answer = (response) => {
      if (receiver.received.length === 3) first.signal('SIGSTOP')
      // The answer lies there when the process goes on, and with it the turn of the next host.
      response.end()
    }
    await cluster.apply(name)
    expect(await second.leads(epoch, takeoverMs)).toBe(epoch + 1)
    const taken = await eventually('the next leader has written', async () => {
      const { status } = await cluster.requestNamed(name)
      return status?.run.epoch === epoch + 1 && status
    })
    first.signal('SIGCONT')
    expect(taken.unknown).toBe('0-7')
    const status = await cluster.finished(name, 1, 20_000)
    expect(status).toMatchObject({ unknown: '0-7', succeeded: '8-11', run: { claim: '', epoch: epoch + 1 } })
    await first.says('term ends')
    // It is a candidate like any other, and knows who leads.
    await eventually(
      'the old one sees the new one',
      () => first.said.filter((msg) => msg === 'the leader is known').length > 1,
    )
    expectEachKeyOnce()
    expect(receiver.received.length).toBe(3 + 4)
    expect((await cluster.requestNamed(name)).status).toEqual(status)

    // And it leads again, in a term of its own.
    second.signal('SIGTERM')
    expect(await first.leads(epoch, takeoverMs)).toBe(epoch + 2)
    expect(await cluster.send()).toMatchObject({ state: 'SUCCESS', progress: '12/12', run: { epoch: epoch + 2 } })
  })
})

test('one that cannot renew its lease ends its term, and leads again when the API server is back: no run is lost', async () => {
  await using operator = start()
  const epoch = await operator.leads()
  await cluster.online()
  const name = await runThatHangs()
  await cluster.controlPlane.killApiServer()
  await operator.says('term ends')
  // The connection to the host that hangs is closed with the term, not when somebody can be told.
  await eventually('the third host has lost its connection', () => receiver.abandoned > 0)
  receiver.answer = (response) => response.end()
  await cluster.controlPlane.startApiServer()
  expect(await operator.leads(epoch)).toBe(epoch + 1)
  expect(await cluster.finished(name, 1, 20_000)).toMatchObject({
    ...{ unknown: '0-7', succeeded: '8-11', run: { epoch: epoch + 1 } },
  })
  expectEachKeyOnce()
  expect(receiver.received.length).toBe(3 + 4)
})

test('a Lease that was deleted while nobody ran: the run is carried on under an epoch above that of its record', async () => {
  let name: string
  {
    await using killed = start()
    await killed.leads()
    await cluster.online()
    name = await runThatHangs()
  }
  const { status } = await cluster.requestNamed(name)
  const high = { ...status!, run: { ...status!.run, epoch: 1_000 } }
  const { metadata } = await cluster.requestNamed(name)
  await cluster.admin.updateStatus(hostRequestKind, { metadata, status: high })
  await cluster.admin.delete(kinds.Lease, { namespace: 'keelson-system', name: 'keelson-operator' })
  receiver.answer = (response) => response.end()
  await using operator = start()
  expect(await cluster.finished(name, 1, 20_000)).toMatchObject({
    unknown: '0-7',
    succeeded: '8-11',
    run: { epoch: 1_001 },
  })
  expect(operator.log.filter(({ msg }) => msg === 'leading').map(({ epoch }) => epoch)).toEqual([0, 1_001])
  expect(await readLease(cluster.admin)).toMatchObject({ leaseTransitions: 1_001 })
  expectEachKeyOnce()
  await cluster.admin.delete(hostRequestKind, { name, namespace })
})
