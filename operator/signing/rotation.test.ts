import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fleet, maxLifetime } from './rotation-fleet.fixture.ts'
import { nextStep, phaseOf, type HostTrust, type Rotation, type Step } from './rotation.ts'

const host = (changes: Partial<HostTrust>): HostTrust => ({
  ...{ host: 'h', reachable: true, bundle: ['a', 'b'], signer: 'a', expiresAt: 100 },
  ...changes,
})
const announcing = { current: 'a', next: 'b' }
const replacing = { current: 'b', previous: 'a' }

describe('the next step', () => {
  test.each<[string, Rotation<string>, HostTrust[], boolean, Step]>([
    ['nothing is wanted', { current: 'a' }, [host({})], false, 'Stay'],
    ['a rotation is wanted', { current: 'a' }, [host({})], true, 'Announce'],
    ['everybody has the next root', announcing, [host({})], false, 'Sign'],
    ['nobody is there', announcing, [], false, 'Sign'],
    ['a reachable host lacks it', announcing, [host({ bundle: ['a'] })], false, 'Stay'],
    ['of a reachable host nothing is known', announcing, [host({ bundle: undefined })], false, 'Stay'],
    ['a host is away', announcing, [host({ bundle: ['a'], reachable: false })], false, 'Sign'],
    ['every certificate is of the new root', replacing, [host({ signer: 'b' })], false, 'Drop'],
    ['a certificate of the old one is about', replacing, [host({ signer: 'a' })], false, 'Stay'],
    ['its host is away', replacing, [host({ signer: 'a', reachable: false })], false, 'Stay'],
    ['of a host nothing is known', replacing, [host({ signer: undefined, reachable: false })], false, 'Stay'],
    ['it has expired', replacing, [host({ signer: 'a', reachable: false, expiresAt: 50 })], false, 'Drop'],
    ['another rotation is wanted meanwhile', replacing, [host({ signer: 'a' })], true, 'Stay'],
  ])('%s', (_case, rotation, hosts, wanted, step) => {
    expect(nextStep(rotation, hosts, wanted, 50).step).toBe(step)
  })

  test('names those that it waits for', () => {
    const hosts = [host({ host: 'x' }), host({ host: 'y', bundle: ['a'] }), host({ host: 'z', bundle: undefined })]
    expect(nextStep(announcing, hosts, false, 50)).toEqual({ step: 'Stay', waitingFor: ['y', 'z'] })
  })
})

const action = fc.oneof(
  fc.constant((fleet: Fleet) => fleet.enrol()),
  fc.constant((fleet: Fleet) => fleet.restart()),
  fc.constant((fleet: Fleet) => void fleet.tick(true)),
  fc.constant((fleet: Fleet) => void fleet.tick(false)),
  fc.nat(20).map((time) => (fleet: Fleet) => fleet.pass(time)),
  fc.nat(9).map((index) => (fleet: Fleet) => fleet.toggle(index)),
  fc.nat(9).map((index) => (fleet: Fleet) => fleet.remove(index)),
  fc.nat(9).map((index) => (fleet: Fleet) => fleet.renew(index)),
)

test('a rotation never parts operator and host, and ends once everybody was there', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const fleet = new Fleet()
      for (const act of actions) {
        act(fleet)
        fleet.check()
      }
      for (const machine of fleet.machines) machine.away = false
      for (let round = 0; round < 3 && phaseOf(fleet.rotation) !== 'Steady'; round++) {
        for (const index of fleet.machines.keys()) fleet.renew(index)
        fleet.tick(false)
        fleet.check()
        // Those whose certificate has expired enrol again, or are gone.
        fleet.pass(maxLifetime / 3)
      }
      fleet.pass(maxLifetime)
      for (const index of fleet.machines.keys()) fleet.remove(index)
      for (let round = 0; round < 3 && phaseOf(fleet.rotation) !== 'Steady'; round++) {
        for (const index of fleet.machines.keys()) fleet.renew(index)
        fleet.tick(false)
      }
      expect(phaseOf(fleet.rotation)).toBe('Steady')
    }),
    { numRuns: 2_000 },
  )
})
