import { describe, expect, test } from 'vitest'
import type { HostRow } from '../../protocol/hosts.ts'
import { emptyForm, type RequestForm } from './request-form.ts'
import { labelsOf, previewTargets } from './target-preview.ts'

function host(name: string, changes: Partial<HostRow> = {}): HostRow {
  return {
    ...{ name, uid: name, role: 'Worker', online: 'True', ready: 'True', reason: '', message: '', address: '10.0.0.1' },
    ...{ os: '', kernel: '', agentVersion: '', labels: {}, createdAt: '2026-01-01T00:00:00Z' },
    ...changes,
  }
}

const hosts = [
  host('worker-2', { labels: { zone: 'b' } }),
  host('worker-1', { labels: { zone: 'a' } }),
  host('worker-3', { labels: { zone: 'a' }, online: 'Unknown', ready: 'False' }),
  host('worker-4', { labels: { zone: 'a' }, ready: 'False' }),
  host('control-1', { role: 'ControlPlane' }),
]

function preview(change: Partial<RequestForm>) {
  const { sent, offline, silent, notTargeted, unknown } = previewTargets({ ...emptyForm, ...change }, hosts)
  const names = (rows: readonly HostRow[]) => rows.map(({ name }) => name)
  return { sent: names(sent), offline: names(offline), silent: names(silent), notTargeted, unknown }
}

describe('who would get a request', () => {
  test('is nobody before a choice is made', () => {
    const nobody = { sent: [], offline: [], silent: [], notTargeted: [], unknown: [] }
    expect(preview({})).toEqual(nobody)
    expect(preview({ who: 'Labels', selector: ' ' })).toEqual(nobody)
    expect(preview({ who: 'Labels', selector: 'zone in' })).toEqual(nobody)
  })

  test('are those who are named, with who is offline, of another role, or unheard of', () => {
    const names = ['worker-3', 'control-1', 'worker-2', 'worker-9']
    expect(preview({ names, targetType: 'Worker' })).toEqual({
      sent: ['worker-2'],
      offline: ['worker-3'],
      silent: [],
      notTargeted: ['control-1'],
      unknown: ['worker-9'],
    })
  })

  test('are those with the labels, by name', () => {
    expect(preview({ who: 'Labels', selector: 'zone=a' })).toEqual({
      sent: ['worker-1', 'worker-4'],
      offline: ['worker-3'],
      silent: ['worker-4'],
      notTargeted: [],
      unknown: [],
    })
    expect(preview({ names: ['worker-1', 'worker-2'], selector: 'zone=a' })).toMatchObject({
      sent: ['worker-1'],
      notTargeted: ['worker-2'],
    })
  })

  test('are all of a role, whatever selector was typed before', () => {
    const everybody = { who: 'Every', selector: 'zone=a' } as const
    expect(preview({ ...everybody, targetType: 'ControlPlane' }).sent).toEqual(['control-1'])
    expect(preview({ ...everybody, onOffline: 'Wait' }).sent).toHaveLength(5)
  })
})

test('labels that hosts share are offered, the most frequent first', () => {
  const named = hosts.map((row) => ({ ...row, labels: { ...row.labels, name: row.name } }))
  expect(labelsOf(named)).toEqual([{ key: 'zone', value: 'a', count: 3 }])
})
