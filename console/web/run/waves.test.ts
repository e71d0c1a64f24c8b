import { describe, expect, test } from 'vitest'
import { outcomeOf } from './outcome.ts'
import { request } from './run.fixture.ts'
import { sendingOrder, type Digest, waveNumbers, wavesOf } from './waves.ts'

const digest: Digest = (algorithm, data) => crypto.subtle.digest(algorithm, data)

function waves(...of: Parameters<typeof request>) {
  const made = request(...of)
  return wavesOf(made, [2, 0, 1, 3], outcomeOf(made.status!))
}

describe('the waves of a run', () => {
  test('are one where there is one, with what became of its hosts', () => {
    const [wave, ...others] = waves({}, { succeeded: '0-1', failed: '2', run: { claim: '3' } })
    expect(others).toEqual([])
    expect(wave).toMatchObject({ reaches: '100%', size: 4, state: 'Running' })
    expect(wave!.tally).toMatchObject({ Succeeded: 2, Failed: 1, Sending: 1, Waiting: 0 })
  })

  test('are done, under way and not begun', () => {
    const found = waves({ waves: [1, '50%', '100%'] }, { succeeded: '2', run: { wave: 1, claim: '0' } })
    expect(found.map(({ reaches, size, state }) => [reaches, size, state])).toEqual([
      ['1', 1, 'Done'],
      ['50%', 1, 'Running'],
      ['100%', 2, 'NotBegun'],
    ])
    expect(found[0]!.tally).toMatchObject({ Succeeded: 1 })
    expect(found[1]!.tally).toMatchObject({ Sending: 1 })
  })

  test('name the one whose failure stopped the run, and the ones that never began', () => {
    const found = waves({ waves: [1] }, { state: 'ERROR', failed: '2', skipped: '0-1,3', run: { wave: 0 } })
    expect(found.map(({ state }) => state)).toEqual(['Failed', 'NotBegun'])
  })

  test('of a dry run never begin', () => {
    const dryRun = { request: { method: 'GET' as const, url: '', headers: [] } }
    expect(waves({ dryRun: true }, { state: 'SUCCESS', dryRun })).toMatchObject([
      { state: 'NotBegun', tally: { Meant: 4 } },
    ])
  })

  test('are none before there are targets', () => {
    expect(waves({}, { counts: { targets: 0, succeeded: 0, failed: 0, unknown: 0, skipped: 0 } })).toEqual([])
  })
})

describe('who is in which wave', () => {
  test('is as the operator sends: by SHA-256 of run and number', async () => {
    // sha256sum of u-1/0 … u-1/3
    expect(await sendingOrder(4, 3, 'u-1', digest)).toEqual([3, 0, 1, 2])
    expect(waveNumbers([2, 0, 1, 3], [1, 2, 4])).toEqual([1, 2, 0, 2])
  })

  test('goes by number with one wave, and is not told without digests', async () => {
    expect(await sendingOrder(3, 1, 'u-1', undefined)).toEqual([0, 1, 2])
    expect(await sendingOrder(3, 2, 'u-1', undefined)).toBeUndefined()
  })
})
