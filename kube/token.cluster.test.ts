import { ControlPlane, eventually } from '@keelson/testbed'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KubeClient } from './client.ts'
import type { ClientConfiguration, TokenSource } from './configuration.ts'
import { ForbiddenError, NotFoundError, UnauthorizedError } from './errors.ts'
import { defineKind, kinds } from './kinds.ts'
import { loadKubeconfig } from './kubeconfig.ts'
import type { KubernetesObject } from './object.ts'

type Review = KubernetesObject & { readonly status?: { readonly userInfo: { readonly username: string } } }
const SelfSubjectReview = defineKind<Review>({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
})
const namespace = 'default'
let cluster: ControlPlane
let configuration: ClientConfiguration
let admin: KubeClient

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  configuration = await loadKubeconfig(cluster.adminKubeconfig)
  admin = new KubeClient({ ...configuration, fieldManager: 'kube-test' })
  for (const name of ['reader', 'second']) await admin.create(kinds.ServiceAccount, { metadata: { namespace, name } })
})

afterAll(async () => {
  await admin?.close()
  await cluster?.[Symbol.asyncDispose]()
})

function clientWith(tokenSource: TokenSource): KubeClient {
  return new KubeClient({ ...configuration, credentials: { tokenSource }, fieldManager: 'kube-test' })
}

async function nameOfCaller(client: KubeClient): Promise<string> {
  const { status } = await client.review(SelfSubjectReview, {})
  return status?.userInfo.username ?? ''
}

test('a token of a ServiceAccount lives for what was asked and ends with what it is bound to', async () => {
  const secret = await admin.create(kinds.Secret, { metadata: { namespace, name: 'bound' } })
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: 'bound', uid: secret.metadata.uid }
  const given = await admin.createToken(namespace, 'reader', { expirationSeconds: 700, boundObjectRef })
  expect(given.expirationSeconds).toBe(700)
  expect(Date.parse(given.expirationTimestamp)).toBeGreaterThan(Date.now() + 600_000)
  await using client = clientWith({ token: async () => given.token, refused: () => {} })
  expect(await nameOfCaller(client)).toBe(`system:serviceaccount:${namespace}:reader`)
  await admin.delete(kinds.Secret, { namespace, name: 'bound' })
  // The server remembers a token that it has seen for ten seconds.
  const ended = async () => (await nameOfCaller(client).catch((error: unknown) => error)) instanceof UnauthorizedError
  await eventually('the token has ended', ended, 20_000)
  await expect(admin.createToken(namespace, 'nobody', { expirationSeconds: 600 })).rejects.toBeInstanceOf(NotFoundError)
})

test('a token that the server refuses is told to its source and the request is sent once more with the next one', async () => {
  const good = await admin.createToken(namespace, 'second', { expirationSeconds: 600 })
  const asked: string[] = []
  let token = 'not-a-token'
  const refused = (which: string): void => {
    asked.push(which)
    token = good.token
  }
  await using client = clientWith({ token: async () => token, refused })
  expect(await nameOfCaller(client)).toBe(`system:serviceaccount:${namespace}:second`)
  expect(asked).toEqual(['not-a-token'])
  token = 'nor-this'
  await expect(client.watch(kinds.ConfigMap, { resourceVersion: '0', timeoutSeconds: 1 }, AbortSignal.timeout(5_000)))
    // The name of who asks is in the answer: it was the good token.
    .rejects.toThrow('system:serviceaccount:default:second')
})

test('a source that has no other token is not asked for ever', async () => {
  const refused: string[] = []
  await using client = clientWith({ token: async () => 'not-a-token', refused: (which) => void refused.push(which) })
  await expect(nameOfCaller(client)).rejects.toBeInstanceOf(UnauthorizedError)
  expect(refused).toEqual(['not-a-token'])
})

test('a review tells what somebody else may do, and needs the right to ask', async () => {
  const ask = async (client: KubeClient, user: string, groups: readonly string[]) => {
    const resourceAttributes = { verb: 'list', group: '', resource: 'nodes' }
    const { status } = await client.review(kinds.SubjectAccessReview, { spec: { user, groups, resourceAttributes } })
    return status?.allowed
  }
  expect(await ask(admin, 'anybody', ['system:masters'])).toBe(true)
  expect(await ask(admin, 'anybody', ['system:authenticated'])).toBe(false)
  const { token } = await admin.createToken(namespace, 'reader', { expirationSeconds: 600 })
  await using reader = clientWith({ token: async () => token, refused: () => {} })
  await expect(ask(reader, 'anybody', [])).rejects.toBeInstanceOf(ForbiddenError)
})
