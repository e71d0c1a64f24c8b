import { beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.boot()
  return () => cluster[Symbol.asyncDispose]()
})

test('boots', async () => {
  const { stdout } = await cluster.kubectl(['get', 'nodes,pods', '-A', '-o', 'wide'])
  console.log(stdout)
  expect(stdout).toContain('worker-2')
})
