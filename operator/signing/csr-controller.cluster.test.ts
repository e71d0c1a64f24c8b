import { X509Certificate } from 'node:crypto'
import { kinds, KubeClient, type CertificateSigningRequest } from '@keelson/kube'
import { ControlPlane, eventually, podToken } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeKeys, makeRequest } from './certificate-request.fixture.ts'
import { ask, installKeelson, kubectl, RunningSigning } from './cluster.fixture.ts'

const namespace = 'keelson-system'
const installer = { namespace, account: 'keelson-installer' }

let cluster: ControlPlane
let admin: KubeClient
let operator: RunningSigning
const open: KubeClient[] = []

beforeAll(async () => {
  cluster = await ControlPlane.start({ controllerManager: false })
  await installKeelson(cluster, ['node1', 'node2'])
  admin = await clientOf(cluster.adminKubeconfig)
  operator = await RunningSigning.start(cluster)
})
afterAll(async () => {
  await operator?.[Symbol.asyncDispose]()
  for (const client of open) await client.close()
  await cluster?.[Symbol.asyncDispose]()
})

async function clientOf(kubeconfig: string): Promise<KubeClient> {
  const client = await KubeClient.fromKubeconfig(kubeconfig, { fieldManager: 'signing-test' })
  open.push(client)
  return client
}

/** The installer's Pod on a Node. */
async function podOn(node: string, account: typeof installer = installer) {
  const made = await podToken(cluster, { node, ...account })
  return { ...made, client: await clientOf(made.kubeconfig) }
}

async function get(name: string): Promise<CertificateSigningRequest> {
  return admin.get(kinds.CertificateSigningRequest, { name })
}

/** The request once it is answered. */
async function answer(name: string): Promise<CertificateSigningRequest> {
  return eventually(`${name} is answered`, async () => {
    const request = await get(name)
    const conditions = request.status?.conditions ?? []
    const final = conditions.some(({ type }) => type !== 'Approved') || request.status?.certificate !== undefined
    return final && request
  })
}

/** What came of it: the reason of the refusal, or `Signed`. */
async function verdict(name: string): Promise<string> {
  const { status } = await answer(name)
  if (status?.certificate !== undefined) return 'Signed'
  const refused = status?.conditions?.find(({ type }) => type !== 'Approved')
  expect(refused?.message).not.toBe('')
  return `${refused?.type} ${refused?.reason}`
}

function certificateOf({ status }: CertificateSigningRequest): X509Certificate {
  return new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'))
}

/** A person: an account whose token no Pod holds, with the rights that `keelson join` needs and no others. */
async function person(name: string): Promise<KubeClient> {
  const kubeconfig = await cluster.serviceAccountKubeconfig('people', name)
  const subject = `--serviceaccount=people:${name}`
  await kubectl(cluster, ['create', 'clusterrolebinding', `joiner-${name}`, '--clusterrole=keelson-joiner', subject])
  return clientOf(kubeconfig)
}

describe('the installer', () => {
  test('gets the certificate of the Node that its token is bound to', async () => {
    const { client } = await podOn('node1')
    const request = await answer(await ask(client, await makeRequest('node1')))
    expect(request.status?.conditions).toMatchObject([{ type: 'Approved', reason: 'InstallerOfTheNode' }])
    const certificate = certificateOf(request)
    const uid = await kubectl(cluster, ['get', 'node', 'node1', '--output=jsonpath={.metadata.uid}'])
    expect(certificate).toMatchObject({
      ...{ subject: `CN=node1\nserialNumber=${uid}`, subjectAltName: 'DNS:node1', ca: false },
    })
    const bundle = await kubectl(cluster, [
      ...['get', 'configmap', `--namespace=${namespace}`, 'keelson-agent-trust'],
      '--output=jsonpath={.data.ca\\.crt}',
    ])
    const root = new X509Certificate(bundle)
    expect([certificate.checkIssued(root), certificate.verify(root.publicKey)]).toEqual([true, true])
  })

  test('gets a shorter life where it asks for one', async () => {
    const { client } = await podOn('node1')
    const name = await ask(client, await makeRequest('node1'), { expirationSeconds: 600 })
    const { validToDate } = certificateOf(await answer(name))
    expect(validToDate.getTime() - Date.now()).toBeLessThanOrEqual(600_000)
  })

  test('is denied the name of another Node', async () => {
    const { client } = await podOn('node1')
    expect(await verdict(await ask(client, await makeRequest('node2')))).toBe('Denied NodeMismatch')
  })

  test('is denied by a token that is bound to nothing', async () => {
    const client = await clientOf(await cluster.serviceAccountKubeconfig(namespace, 'keelson-installer'))
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied TokenUnbound')
  })

  test('is denied by a token that is bound to a Node without a Pod', async () => {
    const uid = await kubectl(cluster, ['get', 'node', 'node1', '--output=jsonpath={.metadata.uid}'])
    const token = await kubectl(cluster, [
      ...['create', 'token', `--namespace=${namespace}`, 'keelson-installer'],
      ...['--bound-object-kind=Node', '--bound-object-name=node1', `--bound-object-uid=${uid}`],
    ])
    const client = await clientOf(await cluster.tokenKubeconfig('bound-to-node', token))
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied TokenUnbound')
  })

  test('is denied by the token of a Pod that was deleted a moment ago, which the API server still takes', async () => {
    const { client, pod } = await podOn('node1')
    const pem = await makeRequest('node1')
    // As whoever copied the token: the server has seen it, and remembers it for some seconds.
    expect(await verdict(await ask(client, await makeRequest('node2')))).toBe('Denied NodeMismatch')
    await kubectl(cluster, ['delete', 'pod', `--namespace=${namespace}`, pod, '--grace-period=0', '--force'])
    expect(await verdict(await ask(client, pem))).toBe('Denied PodGone')
  })

  test('is denied while its Pod is being deleted', async () => {
    const { client, pod } = await podOn('node1')
    await kubectl(cluster, ['delete', 'pod', `--namespace=${namespace}`, pod, '--wait=false'])
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied PodGone')
  })

  test('is denied by the token of a Pod in whose place is another of its name', async () => {
    const { client, pod } = await podOn('node1')
    expect(await verdict(await ask(client, await makeRequest('node2')))).toBe('Denied NodeMismatch')
    await kubectl(cluster, ['delete', 'pod', `--namespace=${namespace}`, pod, '--grace-period=0', '--force'])
    await podToken(cluster, { node: 'node1', ...installer, pod })
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied PodGone')
  })

  test.each([
    ['the Node is gone', 'node3', false],
    ['another Node has its name', 'node4', true],
  ])('is denied where %s', async (_case, name, again) => {
    const node = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
    await kubectl(cluster, ['create', '--filename=-'], node)
    const { client } = await podOn(name)
    await kubectl(cluster, ['delete', 'node', name])
    if (again) await kubectl(cluster, ['create', '--filename=-'], node)
    expect(await verdict(await ask(client, await makeRequest(name)))).toBe('Denied NodeUnknown')
  })

  test('uses a token once: the second request by it is denied, a refused one does not count', async () => {
    const { client } = await podOn('node1')
    expect(await verdict(await ask(client, await makeRequest('node2')))).toBe('Denied NodeMismatch')
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Signed')
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied Replayed')
  })

  test('uses a key once: the same key by another token is denied, also after the operator began anew', async () => {
    const keys = await makeKeys()
    const [first, second] = [await podOn('node1'), await podOn('node1')]
    expect(await verdict(await ask(first.client, await makeRequest('node1', { keys })))).toBe('Signed')
    await operator[Symbol.asyncDispose]()
    operator = await RunningSigning.start(cluster)
    expect(await verdict(await ask(second.client, await makeRequest('node1', { keys })))).toBe('Denied Replayed')
    expect(await verdict(await ask(first.client, await makeRequest('node1')))).toBe('Denied Replayed')
  })

  test('of many requests at once by one token one is signed', async () => {
    const { client } = await podOn('node2')
    const names = await Promise.all(Array.from({ length: 6 }, async () => ask(client, await makeRequest('node2'))))
    const verdicts = await Promise.all(names.map(verdict))
    expect(verdicts.toSorted()).toEqual([...Array.from({ length: 5 }, () => 'Denied Replayed'), 'Signed'])
  })

  test.each([
    ['two names', { names: [{ type: 'dns', value: 'node1' } as const, { type: 'dns', value: 'node2' } as const] }, {}],
    ['an address', { names: [{ type: 'ip', value: '10.0.0.1' } as const] }, {}],
    ['the usage of a client', {}, { usages: ['digital signature', 'client auth'] }],
  ])('is denied %s', async (_case, options, spec) => {
    const { client } = await podOn('node1')
    const refused = await verdict(await ask(client, await makeRequest('node1', options), spec))
    expect(refused).toBe('usages' in spec ? 'Denied UsagesRefused' : 'Denied NameRefused')
  })
})

describe('others', () => {
  test('another Pod on the same Node is denied', async () => {
    const account = { namespace: 'others', account: 'web' }
    await cluster.serviceAccountKubeconfig(account.namespace, account.account)
    await kubectl(cluster, [
      ...['create', 'clusterrolebinding', 'joiner-web', '--clusterrole=keelson-joiner'],
      '--serviceaccount=others:web',
    ])
    const { client } = await podOn('node1', account)
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied RequesterRefused')
  })

  test('an account of the same name in another namespace is denied', async () => {
    const account = { namespace: 'others', account: 'keelson-installer' }
    await cluster.serviceAccountKubeconfig(account.namespace, account.account)
    await kubectl(cluster, [
      ...['create', 'clusterrolebinding', 'joiner-other', '--clusterrole=keelson-joiner'],
      '--serviceaccount=others:keelson-installer',
    ])
    const { client } = await podOn('node1', account)
    expect(await verdict(await ask(client, await makeRequest('node1')))).toBe('Denied RequesterRefused')
  })

  test('a person waits, and gets the certificate once kubectl has approved it', async () => {
    const client = await person('ann')
    const name = await ask(client, await makeRequest('outside.example.org'))
    // A later request is answered, so this one has been looked at.
    expect(await verdict(await ask((await podOn('node1')).client, await makeRequest('node1')))).toBe('Signed')
    expect((await get(name)).status).toEqual({})
    await kubectl(cluster, ['certificate', 'approve', name])
    expect(certificateOf(await answer(name))).toMatchObject({
      ...{ subject: 'CN=outside.example.org', subjectAltName: 'DNS:outside.example.org' },
    })
  })

  test('what a person approves for the host of a Node is bound to that Node too', async () => {
    const name = await ask(await person('flo'), await makeRequest('node2'))
    await kubectl(cluster, ['certificate', 'approve', name])
    const uid = await kubectl(cluster, ['get', 'node', 'node2', '--output=jsonpath={.metadata.uid}'])
    expect(certificateOf(await answer(name)).subject).toBe(`CN=node2\nserialNumber=${uid}`)
  })

  test('a person may ask for several hosts with one token', async () => {
    const client = await person('bob')
    for (const host of ['a.example.org', 'b.example.org']) {
      const name = await ask(client, await makeRequest(host))
      await kubectl(cluster, ['certificate', 'approve', name])
      expect(await verdict(name)).toBe('Signed')
    }
  })

  test('a person who is denied gets nothing', async () => {
    const name = await ask(await person('cid'), await makeRequest('outside.example.org'))
    await kubectl(cluster, ['certificate', 'deny', name])
    expect((await answer(name)).status).toMatchObject({ conditions: [{ type: 'Denied', reason: 'KubectlDeny' }] })
    expect((await get(name)).status?.certificate).toBeUndefined()
  })

  test('a person who asks for more than a name is denied at once', async () => {
    const name = await ask(await person('dan'), await makeRequest('x', { subject: 'CN=x, O=system:masters' }))
    expect(await verdict(name)).toBe('Denied NameRefused')
  })

  test('what was approved and cannot be signed has failed', async () => {
    await operator[Symbol.asyncDispose]()
    const name = await ask(admin, await makeRequest('control.keelson.dev'))
    await kubectl(cluster, ['certificate', 'approve', name])
    operator = await RunningSigning.start(cluster)
    expect(await verdict(name)).toBe('Failed NameRefused')
  })

  test('what was approved before the operator ended is signed by the next one', async () => {
    await operator[Symbol.asyncDispose]()
    const name = await ask(admin, await makeRequest('later.example.org'))
    await kubectl(cluster, ['certificate', 'approve', name])
    operator = await RunningSigning.start(cluster)
    expect(await verdict(name)).toBe('Signed')
  })

  test('requests for another signer are nobody of ours, approved or not', async () => {
    const { client } = await podOn('node1')
    const other = { signerName: 'example.org/other' }
    const names = [
      await ask(client, await makeRequest('node1'), other),
      await ask(client, await makeRequest('node1'), { signerName: 'kubernetes.io/kube-apiserver-client' }),
    ]
    await kubectl(cluster, ['certificate', 'approve', names[0]!])
    expect(await verdict(await ask((await podOn('node2')).client, await makeRequest('node2')))).toBe('Signed')
    for (const name of names) expect((await get(name)).status?.certificate).toBeUndefined()
    expect((await get(names[1]!)).status).toEqual({})
  })
})

describe("the operator's rights", () => {
  const operatorAccount = () => cluster.serviceAccountKubeconfig(namespace, 'keelson-operator')

  test('it lists no Secrets, and reads none but its own where the rights for values from Secrets are left out', async () => {
    await kubectl(cluster, ['delete', 'clusterrolebinding', 'keelson-request-secrets'])
    const kubeconfig = await operatorAccount()
    await kubectl(cluster, ['create', 'secret', 'generic', `--namespace=${namespace}`, 'other', '--from-literal=a=b'])
    const read = (name: string) => cluster.kubectl(['get', 'secret', `--namespace=${namespace}`, name], { kubeconfig })
    await eventually('it may not', async () => (await read('other')).stderr.includes('forbidden'))
    expect((await read('keelson-agent-ca')).exitCode).toBe(0)
    const list = await cluster.kubectl(['get', 'secrets', `--namespace=${namespace}`], { kubeconfig })
    expect(list.stderr).toContain('forbidden')
  })

  test('it approves for no other signer', async () => {
    const name = await ask(admin, await makeRequest('node1'), { signerName: 'example.org/other' })
    const refused = await cluster.kubectl(['certificate', 'approve', name], { kubeconfig: await operatorAccount() })
    expect(refused.stderr).toMatch(/forbidden|not permitted/)
  })

  test('the installer reads no Secret and approves nothing', async () => {
    const { kubeconfig } = await podOn('node1')
    const args = ['get', 'secret', `--namespace=${namespace}`, 'keelson-agent-ca']
    expect((await cluster.kubectl(args, { kubeconfig })).stderr).toContain('forbidden')
    const name = await ask(await person('eve'), await makeRequest('outside.example.org'))
    expect((await cluster.kubectl(['certificate', 'approve', name], { kubeconfig })).stderr).toContain('forbidden')
  })
})
