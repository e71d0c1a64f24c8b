import { KubeClient } from '@keelson/kube'
import { expect, test, vi } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { PersonClients } from './person-clients.ts'

/** Nobody listens there: nothing in here makes a call that arrives. */
const server = 'https://127.0.0.1:9'

async function withClients(
  options: { readonly limit?: number; readonly idleMs?: number },
  act: (clients: PersonClients, clock: ManualClock) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock()
  await using client = new KubeClient({ server, credentials: {}, fieldManager: 'test' })
  await using clients = new PersonClients({ client, cluster: { server }, clock, ...options })
  await act(clients, clock)
}

test('each account has a client of its own, and keeps it', async () => {
  await withClients({}, async (clients) => {
    const ann = clients.for('ann')
    expect(clients.for('bob')).not.toBe(ann)
    expect(clients.for('ann')).toBe(ann)
    expect(clients.size).toBe(2)
  })
})

test('whoever was idle for longest goes first, and not under the hands of a call', async () => {
  await withClients({ limit: 2 }, async (clients, clock) => {
    const [ann, bob] = [clients.for('ann'), clients.for('bob')]
    const ends: string[] = []
    for (const [name, client] of Object.entries({ ann, bob })) {
      vi.spyOn(client, 'close').mockImplementation(async () => void ends.push(name))
    }
    clients.for('ann')
    clients.for('carl')
    expect(clients.size).toBe(2)
    expect(clients.for('ann')).toBe(ann)
    clock.advance(119_999)
    expect(ends).toEqual([])
    clock.advance(1)
    expect(ends).toEqual(['bob'])
    expect(clients.for('bob')).not.toBe(bob)
  })
})

test('whoever is idle for long goes, and comes back with a new one', async () => {
  await withClients({ idleMs: 1_000 }, async (clients, clock) => {
    const ann = clients.for('ann')
    clock.advance(900)
    clients.for('bob')
    clock.advance(1_099)
    expect(clients.size).toBe(1)
    clock.advance(1_000)
    expect(clients.size).toBe(0)
    expect(clients.for('ann')).not.toBe(ann)
  })
})

test('leaves no timer behind', async () => {
  const seen: ManualClock[] = []
  await withClients({ limit: 1 }, async (clients, clock) => {
    for (const name of ['ann', 'bob', 'carl']) clients.for(name)
    seen.push(clock)
  })
  expect(seen.map(({ pending }) => pending)).toEqual([0])
})
