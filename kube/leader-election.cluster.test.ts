import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KubeClient } from './client.ts'
import { kinds, type Lease } from './kinds.ts'
import type { CandidateArguments, CandidateMessage } from './testing/candidate.fixture.ts'
import { ConfigMap } from './testing/kinds.ts'

const namespace = 'election'
const times = { leaseMs: 5_000, renewDeadlineMs: 4_000, retryMs: 500 }
/** When the next leads at the latest after the last one fell silent; and half as much again for a busy machine. */
const takeoverMs = (times.leaseMs + 1.2 * times.retryMs) * 1.5

/** All that a candidate needs. A name cannot bind the creation. */
function role(lease: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: lease, namespace },
        rules: [
          { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
          {
            apiGroups: ['coordination.k8s.io'],
            resources: ['leases'],
            resourceNames: [lease],
            verbs: ['get', 'update'],
          },
          { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
        ],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: lease, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: lease },
        subjects: [{ kind: 'ServiceAccount', name: 'candidate', namespace }],
      },
    ],
  })
}

let cluster: ControlPlane
let admin: KubeClient
let kubeconfig: string

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  admin = await KubeClient.fromKubeconfig(cluster.adminKubeconfig)
  kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'candidate')
})

afterAll(async () => {
  await admin?.close()
  await cluster?.[Symbol.asyncDispose]()
})

class Candidate implements AsyncDisposable {
  readonly messages: CandidateMessage[] = []
  readonly #child: ChildProcess

  constructor(lease: string, changes: Partial<typeof times> = {}) {
    const options: CandidateArguments = { kubeconfig, namespace, lease, times: { ...times, ...changes } }
    this.#child = fork(join(import.meta.dirname, 'testing/candidate.fixture.ts'), [JSON.stringify(options)], {
      // It must not outlive us, not even stopped.
      execPath: 'setpriv',
      execArgv: ['--pdeathsig', 'KILL', '--', process.execPath],
    })
    this.#child.on('message', (message: CandidateMessage) => this.messages.push(message))
  }

  /** The epoch in which it leads, above the given one. */
  async leads(above = -1, withinMs = 15_000): Promise<number> {
    const leading = () => this.messages.find((message) => message.type === 'leads' && message.epoch > above)
    const message = await eventually('the candidate leads', leading, withinMs)
    return (message as { epoch: number }).epoch
  }

  get terms(): number {
    return this.messages.filter(({ type }) => type === 'leads').length
  }

  get identity(): string | undefined {
    return this.messages.findLast((message) => message.type === 'holder')?.identity
  }

  /** Sends the order to act; a stopped process reads it when it goes on. */
  order(name: string): void {
    this.#child.send(name)
  }

  async answer(name: string): Promise<string> {
    const answer = await eventually('the candidate answers', () =>
      this.messages.find((message) => 'name' in message && message.name === name),
    )
    return answer.type === 'refused' ? answer.code : answer.type
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }
}

async function allow(lease: string): Promise<void> {
  const { exitCode, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input: role(lease) })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
}

async function read(lease: string): Promise<NonNullable<Lease['spec']>> {
  return (await admin.get(kinds.Lease, { namespace, name: lease })).spec ?? {}
}

/** Two candidates, the first of which leads and has acted, and the second knows that. */
async function pair(lease: string, changes: Partial<typeof times> = {}) {
  await allow(lease)
  const first = new Candidate(lease, changes)
  const epoch = await first.leads()
  const second = new Candidate(lease, changes)
  await eventually('the second sees the first', () => second.identity === first.identity, 15_000)
  first.order(`${lease}-first`)
  second.order(`${lease}-second`)
  expect(await first.answer(`${lease}-first`)).toBe('acted')
  expect(await second.answer(`${lease}-second`)).toBe('Standby')
  return { first, second, epoch, [Symbol.asyncDispose]: () => dispose([first, second]) }
}

async function dispose(candidates: readonly Candidate[]): Promise<void> {
  await Promise.all(candidates.map((candidate) => candidate[Symbol.asyncDispose]()))
}

describe('of two processes one leads', () => {
  test('and the other takes over within the lease time when that is killed', async () => {
    await using both = await pair('killed')
    const { first, second, epoch } = both
    expect(await read('killed')).toMatchObject({
      holderIdentity: first.identity,
      leaseDurationSeconds: 5,
      leaseTransitions: epoch,
      renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
    })
    first.signal('SIGKILL')
    expect(await second.leads(epoch, takeoverMs)).toBe(epoch + 1)
    second.order('after-the-kill')
    expect(await second.answer('after-the-kill')).toBe('acted')
    expect(await read('killed')).toMatchObject({ holderIdentity: second.identity, leaseTransitions: epoch + 1 })
  })

  test('and hands over at once when it is told to stop, however long the lease is', async () => {
    await using both = await pair('told', { leaseMs: 120_000 })
    const { first, second, epoch } = both
    first.signal('SIGTERM')
    expect(await second.leads(epoch, 10_000)).toBe(epoch + 1)
    expect(await first.ended()).toBe(0)
    expect(first.messages).toContainEqual({ type: 'stops', epoch })
    // What nobody takes is left free for whoever comes.
    second.signal('SIGTERM')
    expect(await second.ended()).toBe(0)
    const { holderIdentity = '', leaseDurationSeconds, leaseTransitions } = await read('told')
    expect({ holderIdentity, leaseDurationSeconds, leaseTransitions }).toEqual({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: epoch + 1,
    })
  })

  test('and notices before its next act that it was stopped for too long', async () => {
    await using both = await pair('stopped')
    const { first, second, epoch } = both
    first.signal('SIGSTOP')
    await second.leads(epoch, takeoverMs)
    first.order('too-late')
    second.order('in-time')
    expect(await second.answer('in-time')).toBe('acted')
    first.signal('SIGCONT')
    expect(await first.answer('too-late')).toBe('LeadershipLost')
    const { items } = await admin.list(ConfigMap, { namespace })
    expect(items.map(({ metadata }) => metadata.name)).toContain('in-time')
    expect(items.map(({ metadata }) => metadata.name)).not.toContain('too-late')
    // The old one is a candidate like any other, and leads again in an epoch of its own.
    await eventually('the old one sees the new one', () => first.identity === second.identity)
    second.signal('SIGTERM')
    expect(await first.leads(epoch, takeoverMs)).toBe(epoch + 2)
  })

  test('and gives up while the API server is away for longer than the deadline; then one leads again', async () => {
    await using both = await pair('away')
    const { first, second, epoch } = both
    await cluster.killApiServer()
    await eventually('it gives up', () => first.messages.some(({ type }) => type === 'stops'))
    first.order('away')
    expect(await first.answer('away')).toBe('LeadershipLost')
    await cluster.startApiServer()
    const leading = await eventually(
      'one of them leads',
      () => [first, second].find((each) => each.messages.some((m) => m.type === 'leads' && m.epoch > epoch)),
      takeoverMs,
    )
    expect(await leading.leads(epoch)).toBe(epoch + 1)
  })

  test('whichever: four that start at once elect one', async () => {
    await allow('start')
    await using stack = new AsyncDisposableStack()
    const four = [0, 1, 2, 3].map(() => stack.use(new Candidate('start')))
    await eventually('all know a leader', () => four.every(({ identity }) => identity !== undefined), 20_000)
    const identities = new Set(four.map(({ identity }) => identity))
    expect(identities.size).toBe(1)
    await eventually('one leads', () => four.some(({ terms }) => terms > 0))
    expect(four.reduce((sum, { terms }) => sum + terms, 0)).toBe(1)
  })
})
