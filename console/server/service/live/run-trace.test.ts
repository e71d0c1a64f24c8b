import type { HostRequest } from '@keelson/api'
import { describe, expect, test } from 'vitest'
import { requestNamed, statusOf, type SpecSketch, type StatusSketch } from '../../testing/objects.ts'
import { outcomeFor, traceOf, type RunTrace } from './run-trace.ts'
import { TargetLists } from './target-lists.ts'

const host = { name: 'b', role: 'Worker', labels: { zone: 'a' } } as const

function cameOf(request: HostRequest, lists = new TargetLists()): string {
  const trace = traceOf(request, lists)
  expect(trace.length).toBeLessThanOrEqual(4_096)
  return trace === '' ? 'no targets' : (outcomeFor(host, JSON.parse(trace) as RunTrace, lists)?.outcome ?? 'no target')
}

/** A run whose targets are in a ConfigMap. */
function large(spec: SpecSketch, status: StatusSketch = {}): HostRequest {
  const counts = { targets: 5_000, succeeded: 5_000, failed: 0, unknown: 0, skipped: 0 }
  const run = { targets: { configMap: 'targets', digest: 'large' } }
  return requestNamed('red', 'large', spec, statusOf([], { counts, run, succeeded: '0-4999', ...status }))
}

describe('what came of a run for a host', () => {
  test.each([
    ['is told by the number of the target', ['a', 'b'], { succeeded: '1' }, 'Succeeded'],
    ['is that of this host alone', ['a', 'b'], { succeeded: '0', failed: '1' }, 'Failed'],
    ['is not that of a host whose name holds this one', ['a', 'b-b', 'bb'], {}, 'no target'],
    ['is unknown where the status says so', ['b'], { succeeded: '', unknown: '0' }, 'Unknown'],
    ['is pending where no set has it', ['a', 'b'], { succeeded: '0' }, 'Pending'],
    ['is nothing where there were no targets', [], {}, 'no targets'],
  ])('%s', (_, targets, sets, expected) => {
    expect(cameOf(requestNamed('red', 'a', {}, statusOf(targets, sets)))).toBe(expected)
  })

  test('follows from the spec where its targets are too many for the status and it names them', () => {
    const sets = { succeeded: '0,2', failed: '1' }
    expect(cameOf(large({ workers: ['c', 'b', 'a', 'b'] }, sets))).toBe('Failed')
    expect(cameOf(large({ workers: ['c', 'a'] }, sets))).toBe('no target')
    // The spec is a later one than that of the run.
    expect(cameOf(large({ workers: ['c', 'a'] }, { ...sets, observedGeneration: 0 }))).toBe('Untold')
  })

  test('is untold where many were meant, and this one among them', () => {
    expect(cameOf(large({}))).toBe('Untold')
    expect(cameOf(large({ http: { targetType: 'ControlPlane' } }))).toBe('no target')
    expect(cameOf(large({ hostSelector: { matchLabels: { zone: 'a' } } }))).toBe('Untold')
    expect(cameOf(large({ hostSelector: { matchLabels: { zone: 'b' } } }))).toBe('no target')
  })

  test('is untold where the sets are too long to be kept, for targets alone', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `n${index}`)
    const failed = names.map((_, index) => index * 2).join()
    expect(cameOf(requestNamed('red', 'a', {}, statusOf([...names, 'b'], { failed })))).toBe('Untold')
    expect(cameOf(requestNamed('red', 'a', {}, statusOf(names, { failed })))).toBe('no target')
  })
})

test('lists of targets are bounded: the one that was told of longest ago goes', () => {
  const lists = new TargetLists({ characters: 20 })
  lists.put('one', ['aaaa', 'bbbb'])
  lists.put('two', ['cccc'])
  lists.put('one', ['aaaa', 'bbbb'])
  lists.put('three', ['dddd'])
  expect(['one', 'two', 'three'].map((digest) => lists.indexOf(digest, 'bbbb'))).toEqual([1, undefined, -1])
})
