import { randomBytes } from 'node:crypto'
import { kinds, KubeClient } from '@keelson/kube'
import { ControlPlane, eventually, podToken } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeRequest } from './certificate-request.fixture.ts'
import { ask, installKeelson, kubectl, RunningSigning } from './cluster.fixture.ts'

// Whoever gets hold of the token of an installer's Pod: what he can do with it, and what not.

const namespace = 'keelson-system'
const account = 'keelson-installer'

let cluster: ControlPlane
let operator: RunningSigning
let thief: KubeClient
let kubeconfig: string

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  await installKeelson(cluster, ['node1', 'node2'])
  operator = await RunningSigning.start(cluster)
  ;({ kubeconfig } = await podToken(cluster, { node: 'node1', namespace, account }))
  thief = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'thief' })
  for (const [kind, name, spec] of [
    ['Host', 'node1', {}],
    ['ConfigMap', 'other', { data: { a: 'b' } }],
    ['Secret', 'other', { stringData: { a: 'b' } }],
  ] as const) {
    const apiVersion = kind === 'Host' ? 'keelson.dev/v1alpha1' : 'v1'
    const object = { apiVersion, kind, metadata: { name, namespace }, ...spec }
    await kubectl(cluster, ['create', '--filename=-'], JSON.stringify(object))
  }
})
afterAll(async () => {
  await thief?.close()
  await operator?.[Symbol.asyncDispose]()
  await cluster?.[Symbol.asyncDispose]()
})

/** kubectl with the stolen token. */
async function steal(args: readonly string[], input?: object) {
  const options = input === undefined ? {} : { input: JSON.stringify(input) }
  return cluster.kubectl(['--kubeconfig', kubeconfig, ...args], options)
}

async function verdict(name: string): Promise<string> {
  return eventually(`${name} is answered`, async () => {
    const { status } = await thief.get(kinds.CertificateSigningRequest, { name })
    if (status?.certificate !== undefined) return 'Signed'
    return status?.conditions?.find(({ type }) => type !== 'Approved')?.reason
  })
}

test('its rights are a closed list: to ask for certificates and see the answer, and to read the public roots', async () => {
  const rightsBy = async (credentials: string): Promise<string[]> => {
    const args = ['auth', 'can-i', '--list', `--namespace=${namespace}`, '--no-headers', '--kubeconfig', credentials]
    const { stdout } = await cluster.kubectl(args)
    return stdout.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  }
  // An account without any right of its own: what everybody has who is known, as to read the versions of the API.
  const everybody = new Set(await rightsBy(await cluster.serviceAccountKubeconfig(namespace, 'nobody')))
  const rights = (await rightsBy(kubeconfig)).filter((right) => !everybody.has(right))
  expect(rights.toSorted()).toEqual([
    'certificatesigningrequests.certificates.k8s.io [] [] [create get]',
    'configmaps [] [keelson-agent-trust] [get]',
  ])
})

describe('refused by the API server:', () => {
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'mine', namespace } },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  }
  const status = {
    status: { addresses: [{ type: 'InternalIP', address: '10.0.0.66' }], role: 'Worker', conditions: [] },
  }

  test.each<[string, readonly string[], object?]>([
    ["the authority's key", ['get', 'secret', 'keelson-agent-ca', `--namespace=${namespace}`]],
    ['any Secret of the namespace', ['get', 'secret', 'other', `--namespace=${namespace}`]],
    ['all Secrets of the cluster', ['get', 'secrets', '--all-namespaces']],
    ['another ConfigMap', ['get', 'configmap', 'other', `--namespace=${namespace}`]],
    ['to change the public roots', ['delete', 'configmap', 'keelson-agent-trust', `--namespace=${namespace}`]],
    ['Hosts', ['get', 'hosts']],
    ['its own Host', ['get', 'host', 'node1']],
    ['to label its Host', ['label', 'host', 'node1', 'a=b']],
    [
      'to write the status of its Host',
      ['replace', '--raw=/apis/keelson.dev/v1alpha1/hosts/node1/status', '--filename=-'],
      status,
    ],
    [
      'to send a request to hosts',
      ['create', '--raw=/apis/keelson.dev/v1alpha1/namespaces/default/hostrequests', '--filename=-'],
      {},
    ],
    ["others' requests for certificates", ['get', 'certificatesigningrequests']],
    ['Nodes', ['get', 'node', 'node1']],
    ['to make Pods', ['create', '--filename=-'], pod],
    ['a token of its own account', ['create', 'token', account, `--namespace=${namespace}`]],
    ["a token of the operator's account", ['create', 'token', 'keelson-operator', `--namespace=${namespace}`]],
    ['to be somebody else', ['get', 'secrets', '--as=system:admin', '--as-group=system:masters']],
  ])('%s', async (_case, args, input) => {
    const { exitCode, stdout, stderr } = await steal(args, input)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/forbidden|Forbidden/)
  })
})

describe('a certificate', () => {
  test('of another Node is denied', async () => {
    expect(await verdict(await ask(thief, await makeRequest('node2')))).toBe('NodeMismatch')
  })

  test.each(['request.keelson.dev', 'control.keelson.dev'])("of the operator's own name %s is denied", async (name) => {
    expect(await verdict(await ask(thief, await makeRequest(name)))).toBe('NameRefused')
  })

  test('that is good against the API server is denied: for another signer nobody of ours answers, and its answer is not for us to give', async () => {
    const pem = await makeRequest('node1', { subject: 'CN=system:node:node2, O=system:nodes' })
    const spec = { signerName: 'kubernetes.io/kube-apiserver-client-kubelet' }
    const usages = ['digital signature', 'client auth']
    const name = await ask(thief, pem, { ...spec, usages })
    for (const args of [
      ['certificate', 'approve', name],
      ['certificate', 'deny', name],
    ])
      expect((await steal(args)).exitCode).toBe(1)
    const found = await thief.get(kinds.CertificateSigningRequest, { name })
    expect(found.status).toEqual({})
  })

  test('cannot be approved or signed by himself, not even his own', async () => {
    await operator[Symbol.asyncDispose]()
    const name = await ask(thief, await makeRequest('node2'))
    const found = await thief.get(kinds.CertificateSigningRequest, { name })
    const condition = { type: 'Approved', status: 'True', reason: 'Mine', message: '' } as const
    const approved = { ...found, status: { conditions: [condition] } }
    const kind = kinds.CertificateSigningRequest
    await expect(thief.update(kind, approved, { subresource: 'approval' })).rejects.toMatchObject({ code: 'Forbidden' })
    const certificate = randomBytes(8).toString('base64')
    await expect(thief.updateStatus(kind, { ...found, status: { certificate } })).rejects.toMatchObject({
      code: 'Forbidden',
    })
    operator = await RunningSigning.start(cluster)
    expect(await verdict(name)).toBe('NodeMismatch')
  })

  test('of its own Node is what it can have, once', async () => {
    expect(await verdict(await ask(thief, await makeRequest('node1')))).toBe('Signed')
    expect(await verdict(await ask(thief, await makeRequest('node1')))).toBe('Replayed')
  })
})
