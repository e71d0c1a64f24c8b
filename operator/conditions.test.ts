import { Condition } from '@keelson/api'
import { expect, test } from 'vitest'
import { timestamp, withTransitionTimes, type WantedCondition } from './conditions.ts'

const noon = new Date('2026-01-02T12:00:00.999Z')
const later = new Date('2026-01-02T13:00:00.000Z')
const ready = (status: 'True' | 'False' | 'Unknown', message = ''): WantedCondition => ({
  ...{ type: 'Ready', status, reason: 'Because', message },
})

test('times are RFC 3339 in UTC, in whole seconds', () => {
  expect(timestamp(noon)).toBe('2026-01-02T12:00:00Z')
})

test('a condition that was not there began now', () => {
  expect(withTransitionTimes([ready('True')], undefined, noon)).toEqual([
    { ...ready('True'), lastTransitionTime: '2026-01-02T12:00:00Z' },
  ])
})

test('the time stays while the status does, whatever the message, and moves with the status', () => {
  const before = withTransitionTimes([ready('False', 'one')], undefined, noon)
  const same = withTransitionTimes([ready('False', 'two')], before, later)
  expect(same).toMatchObject([{ message: 'two', lastTransitionTime: '2026-01-02T12:00:00Z' }])
  const other = withTransitionTimes([ready('Unknown', 'two')], same, later)
  expect(other).toMatchObject([{ status: 'Unknown', lastTransitionTime: '2026-01-02T13:00:00Z' }])
})

test('an unchanged world gives an equal list', () => {
  const before = withTransitionTimes([ready('True', 'x')], [], noon)
  expect(withTransitionTimes([ready('True', 'x')], before, later)).toEqual(before)
})

test('conditions that nobody wants any more go, in the order of the wanted ones', () => {
  const online: WantedCondition = { type: 'Online', status: 'True', reason: 'NodeReady', message: '' }
  const before = withTransitionTimes([ready('True'), { ...online, type: 'Gone' }], undefined, noon)
  expect(withTransitionTimes([online, ready('True')], before, later).map(({ type }) => type)).toEqual([
    'Online',
    'Ready',
  ])
})

test('a message is cut to what the API server takes', () => {
  for (const character of ['x', '机', '\n', '"'])
    for (const condition of withTransitionTimes([ready('True', `a${character.repeat(5_000)}`)], undefined, noon))
      expect(Condition.parse(condition)).toEqual(condition)
})
