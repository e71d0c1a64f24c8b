import type { Condition } from '../condition.ts'
import { maxTargets, type HostRequestStatus } from '../host-request-status.ts'
import type { HostStatus } from '../host.ts'

const time = '2026-01-01T00:00:00Z'
const generation = Number.MAX_SAFE_INTEGER

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Every third number from `first` on. */
function everyOther(first: number, targets: number): string {
  const indexes: number[] = []
  for (let index = first; index < targets; index += 3) indexes.push(index)
  return indexes.join(',')
}

function conditions(character: string): Condition[] {
  return repeat(8, (index) => ({
    type: `T${index}`.padEnd(63, 't'),
    status: 'Unknown',
    observedGeneration: generation,
    lastTransitionTime: time,
    reason: 'R'.repeat(63),
    message: character.repeat(256),
  }))
}

/** As much as the schema lets an operator write, with sentences made of one character: more than it ever does, since it keeps to 64 KiB. */
export function largestRequestStatus(character: string): HostRequestStatus {
  const count = Number.MAX_SAFE_INTEGER
  return {
    state: 'RUNNING',
    msg: character.repeat(1024),
    progress: '1'.repeat(10) + '/' + '1'.repeat(10),
    observedGeneration: generation,
    counts: { targets: count, succeeded: count, failed: count, unknown: count, skipped: count },
    run: {
      ...{
        id: 'r'.repeat(128),
        specDigest: 'd'.repeat(63),
        startTime: time,
        finishTime: time,
        epoch: count,
        round: 10,
        wave: 15,
      },
      claim: everyOther(0, 1_024),
      targets: { configMap: 'c'.repeat(253), digest: 'd'.repeat(63) },
    },
    // Three sets in which no two neighbours are alike.
    succeeded: everyOther(0, maxTargets),
    failed: everyOther(1, maxTargets),
    unknown: everyOther(2, maxTargets),
    skipped: '',
    failures: repeat(20, (index) => ({
      host: `h${index}`.padEnd(253, 'h'),
      reason: 'R'.repeat(63),
      code: 599,
      message: character.repeat(256),
    })),
    failureGroups: repeat(16, (index) => ({
      reason: 'R'.repeat(63),
      code: 599,
      message: character.repeat(256),
      count,
      sample: repeat(3, (host) => `h${index}-${host}`.padEnd(253, 'h')),
    })),
    answers: repeat(16, (index) => ({
      code: 599,
      body: character.repeat(256),
      count,
      sample: repeat(3, (host) => `h${index}-${host}`.padEnd(253, 'h')),
    })),
    dryRun: {
      request: {
        method: 'DELETE',
        url: character.repeat(2048),
        headers: repeat(8, () => character.repeat(256)),
        body: character.repeat(4096),
      },
    },
    history: repeat(5, () => ({
      id: 'r'.repeat(128),
      state: 'ERROR' as const,
      counts: { targets: count, succeeded: count, failed: count, unknown: count, skipped: count },
      finishTime: time,
    })),
    truncated: true,
    conditions: conditions(character),
  }
}

export function largestHostStatus(character: string): HostStatus {
  return {
    addresses: repeat(16, () => ({ type: 'T'.repeat(63), address: 'a'.repeat(253) })),
    role: 'ControlPlane',
    facts: {
      protocol: 1,
      agentVersion: 'v'.repeat(64),
      hostname: 'h'.repeat(253),
      kernelVersion: 'k'.repeat(128),
      bootID: 'b'.repeat(64),
      architecture: 'a'.repeat(32),
      os: { id: 'i'.repeat(64), versionID: 'v'.repeat(64), name: character.repeat(256) },
      types: Object.fromEntries(repeat(64, (index) => [`t${index}`.padEnd(63, 't'), 1 as const])),
    },
    conditions: conditions(character),
    observedGeneration: generation,
  }
}
