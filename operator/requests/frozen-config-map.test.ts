import { apiVersion, maxTargets, type HostRequest } from '@keelson/api'
import type { KubeClient } from '@keelson/kube'
import { expect, test } from 'vitest'
import { specOf } from '../testing/objects.ts'
import { keepTargets, TooManyTargetsError } from './frozen-config-map.ts'

test('more targets than a run may have are refused before anything is written', async () => {
  const request: HostRequest = { apiVersion, kind: 'HostRequest', metadata: { name: 'all' }, spec: specOf({}) }
  const names = Array.from({ length: maxTargets + 1 }, (_, index) => `h${index}`)
  // Whatever it asked of this client would fail in another way.
  const kept = keepTargets({} as KubeClient, request, names, new AbortController().signal)
  await expect(kept).rejects.toThrow(TooManyTargetsError)
  await expect(kept).rejects.toThrow('20001 targets, and a run may have 20000; choose fewer')
})
