import assert from 'node:assert/strict'
import { advance, nextStep, trustedRoots, type HostTrust, type Rotation, type Step } from './rotation.ts'

const lifetime = 30
export const maxLifetime = 90

type Machine = {
  away: boolean
  readonly bundle: readonly string[]
  readonly signer: string
  readonly expiresAt: number
}

/** A fleet, its operator, and what that operator has seen since it began. */
export class Fleet {
  rotation: Rotation<string> = { current: 'root-0' }
  readonly machines: Machine[] = []
  readonly #seen = new Map<number, Machine>()
  #roots = 1
  #now = 0
  #replacedAt = 0

  enrol(): void {
    this.machines.push(this.#fresh())
  }

  #fresh(): Machine {
    const bundle = trustedRoots(this.rotation)
    return { away: false, bundle, signer: this.rotation.current, expiresAt: this.#now + lifetime }
  }

  toggle(index: number): void {
    const machine = this.machines[index % (this.machines.length || 1)]
    if (machine) machine.away = !machine.away
  }

  remove(index: number): void {
    const at = index % (this.machines.length || 1)
    // Indices are identities here: in its place is a machine that nobody has seen.
    if (this.machines[at]) this.machines[at] = this.#fresh()
    this.#seen.delete(at)
  }

  pass(time: number): void {
    this.#now += time
  }

  /** Another leader: the roots are in the Secret, what was seen is not. */
  restart(): void {
    this.#seen.clear()
  }

  /** As Renewal does it: whoever can be talked to gets a new certificate and the bundle of the day. */
  renew(index: number): void {
    const at = index % (this.machines.length || 1)
    const machine = this.machines[at]
    if (!machine || machine.away || machine.expiresAt <= this.#now) return
    this.machines[at] = this.#fresh()
    this.#seen.set(at, this.machines[at])
  }

  tick(wanted: boolean): Step {
    const hosts = this.machines.map((machine, at): HostTrust => {
      const seen = this.#seen.get(at)
      const unseen = this.#replacedAt + maxLifetime
      return {
        host: `h${at}`,
        reachable: !machine.away && machine.expiresAt > this.#now,
        bundle: seen?.bundle,
        signer: seen?.signer,
        expiresAt: seen?.expiresAt ?? unseen,
      }
    })
    const { step } = nextStep(this.rotation, hosts, wanted, this.#now)
    if (step === 'Sign') {
      this.#replacedAt = this.#now
      // Nobody who is there hears of the new root by the first certificate that it signs.
      const present = this.machines.filter(({ away, expiresAt }) => !away && expiresAt > this.#now)
      for (const { bundle } of present)
        assert(bundle.includes(this.rotation.next!), 'a host that is there lacks the root')
    }
    this.rotation = advance(this.rotation, step, () => `root-${this.#roots++}`)
    return step
  }

  /** Whoever has a certificate that has not expired and the operator can prove themselves to each other, be he away or not. */
  check(): void {
    const trusted = trustedRoots(this.rotation)
    assert(trusted.length <= 2 && new Set(trusted).size === trusted.length, 'a bundle has one or two roots')
    // The operator's chain ends in the root that signs, and by the cross-certificate in the previous one.
    const shown = [this.rotation.current, this.rotation.previous]
    for (const { bundle, signer, expiresAt } of this.machines) {
      if (expiresAt <= this.#now) continue
      assert(trusted.includes(signer), 'the operator does not trust a host')
      assert(
        bundle.some((root) => shown.includes(root)),
        'a host does not trust the operator',
      )
    }
  }
}
