import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enrol, requestName } from '@keelson/install'
import { KubeClient } from '@keelson/kube'
import { applyManifests, ControlPlane, eventually, podToken } from '@keelson/testbed'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { run } from './run.ts'

const namespace = 'keelson-system'
const executable = join(import.meta.dirname, 'main.ts')

let cluster: ControlPlane
let operator: ChildProcess | undefined
let operatorKubeconfig: string
let root: string
let folder: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'keelson-enrolment-'))
  cluster = await ControlPlane.start({ controllerManager: false })
  await applyManifests(cluster)
  for (const name of ['node1', 'node2'])
    await cluster.kubectl(['create', '--filename=-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } }),
    })
  operatorKubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'keelson-operator')
  startOperator()
})
afterAll(async () => {
  await stopOperator()
  await cluster?.[Symbol.asyncDispose]()
  await rm(root, { recursive: true, force: true })
})
beforeEach(async () => {
  folder = join(await mkdtemp(join(root, 'host-')), 'tls')
})

function startOperator(): void {
  operator = spawn(process.execPath, [executable, 'operator', '--kubeconfig', operatorKubeconfig], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function stopOperator(): Promise<void> {
  const ended = operator && once(operator, 'exit')
  operator?.kill('SIGKILL')
  await ended
  operator = undefined
}

async function kubectl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.kubectl(args)
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trim()
}

const installerOn = async (node: string) => podToken(cluster, { node, namespace, account: 'keelson-installer' })

/** Somebody with the rights to join, and nobody's Pod. */
async function joiner(name: string): Promise<string> {
  const kubeconfig = await cluster.serviceAccountKubeconfig('people', name)
  const account = `--serviceaccount=people:${name}`
  await kubectl('create', 'clusterrolebinding', `join-${name}`, '--clusterrole=keelson-joiner', account)
  await kubectl(
    ...['create', 'rolebinding', `join-${name}`, `--namespace=${namespace}`, '--role=keelson-trust-reader', account],
  )
  return kubeconfig
}

type Said = { exitCode: number; stdout: string; stderr: string }

class Keelson {
  readonly said = { stdout: '', stderr: '' }
  readonly ended: Promise<Said>

  constructor(...args: string[]) {
    const print = (name: 'stdout' | 'stderr') => (line: string) => void (this.said[name] += `${line}\n`)
    this.ended = run(args, { out: print('stdout'), err: print('stderr') }).then((exitCode) => ({
      exitCode,
      ...this.said,
    }))
  }

  /** The request that it says it waits for. */
  async request(): Promise<string> {
    return eventually('it says what it waits for', () => /keelson approve (\S+)/.exec(this.said.stdout)?.[1])
  }
}

const keelson = (...args: string[]) => new Keelson(...args)

async function installed(): Promise<X509Certificate> {
  const certificate = new X509Certificate(await readFile(join(folder, 'tls.crt')))
  expect(certificate.checkPrivateKey(createPrivateKey(await readFile(join(folder, 'tls.key'))))).toBe(true)
  const issuer = new X509Certificate(await readFile(join(folder, 'ca.crt')))
  expect(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)).toBe(true)
  return certificate
}

describe('the installer of a Node', () => {
  test('gets the certificate without a person, as a process with nothing but a kubeconfig', async () => {
    const { kubeconfig } = await installerOn('node1')
    const argv = [executable, 'join', '--name', 'node1', '--kubeconfig', kubeconfig, '--folder', folder]
    const child = spawn(process.execPath, argv, { env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    expect((await once(child, 'close'))[0]).toBe(0)
    expect(output).toMatch(/^node1 has its certificate, in .*\/tls, until 20/m)
    expect((await installed()).subjectAltName).toBe('DNS:node1')
    // The key was made here and went nowhere: not into the cluster, not into the output.
    const key = (await readFile(join(folder, 'tls.key'), 'utf8')).split('\n')[1]!
    expect(output).not.toContain(key)
    expect(await kubectl('get', 'certificatesigningrequests', '--output=yaml')).not.toContain(key)
  })

  test('has nothing to do where it has a good certificate, and enrols again where it is of another host', async () => {
    const first = await installerOn('node1')
    const args = (name: string, kubeconfig: string) => [
      ...['join', '--name', name, '--kubeconfig', kubeconfig],
      ...['--folder', folder, '--timeout-seconds', '20'],
    ]
    await keelson(...args('node1', first.kubeconfig)).ended
    const before = (await installed()).fingerprint256
    const again = await keelson(...args('node1', first.kubeconfig)).ended
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('has a good certificate already') as string,
    })
    expect((await installed()).fingerprint256).toBe(before)
    const other = await installerOn('node2')
    expect(await keelson(...args('node2', other.kubeconfig)).ended).toMatchObject({ exitCode: 0 })
    expect((await installed()).subjectAltName).toBe('DNS:node2')
  })

  test('is told why it is denied; the next try has a new key', async () => {
    const { kubeconfig } = await installerOn('node1')
    const args = ['join', '--name', 'node2', '--kubeconfig', kubeconfig, '--folder', folder]
    const denied = await keelson(...args).ended
    expect(denied).toMatchObject({ exitCode: 3 })
    expect(denied.stderr).toMatch(
      /^keelson join: the request node2-\w+ was denied: .*Node node1.* \(NodeMismatch\) \(RequestDenied\)\n$/,
    )
    const request = (output: string) => /keelson approve (\S+)/.exec(output)?.[1]
    const next = await keelson(...args).ended
    expect(request(next.stdout)).not.toBe(request(denied.stdout))
    expect(await readdir(join(folder, '..'))).toEqual([])
  })

  test('by a token that has expired: the API server itself refuses', async () => {
    const { token } = await installerOn('node1')
    const expired = await cluster.tokenKubeconfig('expired', await withExpiry(token, -120))
    const args = ['--name', 'node1', '--folder', folder]
    const refused = await keelson('join', ...args, '--kubeconfig', expired).ended
    expect(refused).toMatchObject({ exitCode: 1 })
    expect(refused.stderr).toMatch(/401 .*credentials are not accepted.* \(Unauthorized\)\n$/)
    // It was the date, and nothing else about it.
    const good = await cluster.tokenKubeconfig('not-expired', await withExpiry(token, 600))
    expect(await keelson('join', ...args, '--kubeconfig', good).ended).toMatchObject({ exitCode: 0 })
  })

  test('cut off while it waits, it takes the same request up with the same key and token', async () => {
    await stopOperator()
    const { kubeconfig } = await installerOn('node1')
    const client = await KubeClient.fromKubeconfig(kubeconfig)
    const stop = new AbortController()
    const requests: string[] = []
    const options = {
      ...{ name: 'node1', folder, client, timeoutMs: 30_000 },
      onRequest: ({ name }: { name: string }) => void requests.push(name),
    }
    const cut = enrol(options, stop.signal)
    await eventually('it waits', () => requests.length === 1)
    const reason = new Error('cut off')
    stop.abort(reason)
    await expect(cut).rejects.toMatchObject({ name: 'AbortError' })
    startOperator()
    expect(await enrol(options)).toMatchObject({ outcome: 'Enrolled' })
    expect(requests[1]).toBe(requests[0])
    await installed()
    await client.close()
  })

  test('where nobody signs: 4 after its time, and the request is there to be taken up', async () => {
    await stopOperator()
    const { kubeconfig } = await installerOn('node2')
    const args = ['join', '--name', 'node2', '--kubeconfig', kubeconfig, '--folder', folder]
    const late = await keelson(...args, '--timeout-seconds', '0.5').ended
    expect(late).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('(NotSignedInTime)') as string })
    startOperator()
    expect(await keelson(...args).ended).toMatchObject({ exitCode: 0 })
  })

  test('while the API server is away it waits and goes on', async () => {
    const { kubeconfig } = await installerOn('node2')
    await stopOperator()
    const joining = keelson('join', '--name', 'node2', '--kubeconfig', kubeconfig, '--folder', folder)
    await joining.request()
    await cluster.killApiServer()
    await cluster.startApiServer()
    startOperator()
    expect(await joining.ended).toMatchObject({ exitCode: 0 })
  })

  test('what is in the way of the folder is said before anything is asked for', async () => {
    const { kubeconfig } = await installerOn('node1')
    await writeFile(folder, '')
    await mkdir(`${folder}.other`)
    await chmod(`${folder}.other`, 0o700)
    const args = ['join', '--name', 'node1', '--kubeconfig', kubeconfig, '--folder', join(folder, 'below')]
    const refused = await keelson(...args).ended
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(FolderUnusable)') as string })
    expect(refused.stdout).toBe('')
  })
})

describe('keelson join and a person who approves', () => {
  const joining = (name: string, kubeconfig: string) =>
    keelson('join', '--name', name, '--kubeconfig', kubeconfig, '--folder', folder)

  test('keelson approve, as somebody with the role for it', async () => {
    const joined = joining('web.example.org', await joiner('ann'))
    const request = await joined.request()
    const approver = await cluster.serviceAccountKubeconfig('people', 'boss')
    const account = '--serviceaccount=people:boss'
    const refused = await keelson('approve', request, '--kubeconfig', approver).ended
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(Forbidden)') as string })
    await kubectl('create', 'clusterrolebinding', 'boss', '--clusterrole=keelson-approver', account)
    const approved = await eventually('the role holds', async () => {
      const ended = await keelson('approve', request, '--kubeconfig', approver).ended
      return ended.exitCode === 0 && ended
    })
    const [, key] = /with the key ([0-9a-f]{64})/.exec(joined.said.stdout) ?? []
    expect(approved.stdout).toBe(
      `approved: the host web.example.org with the key ${key}, asked for by system:serviceaccount:people:ann\n`,
    )
    expect(await joined.ended).toMatchObject({ exitCode: 0 })
    expect((await installed()).subjectAltName).toBe('DNS:web.example.org')
    const again = await keelson('approve', request, '--kubeconfig', approver).ended
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(AlreadyDecided)') as string })
  })

  test('kubectl certificate approve', async () => {
    const joined = joining('db.example.org', await joiner('bob'))
    await kubectl('certificate', 'approve', await joined.request())
    expect(await joined.ended).toMatchObject({ exitCode: 0 })
    expect((await installed()).subjectAltName).toBe('DNS:db.example.org')
  })

  test('kubectl certificate deny', async () => {
    const joined = joining('no.example.org', await joiner('cid'))
    await kubectl('certificate', 'deny', await joined.request())
    const denied = await joined.ended
    expect(denied).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('(KubectlDeny)') as string })
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })

  test('without an approval: 4, and nothing is in the folder', async () => {
    const kubeconfig = await joiner('dan')
    const args = ['join', '--name', 'x.example.org', '--kubeconfig', kubeconfig, '--folder', folder]
    const late = await keelson(...args, '--timeout-seconds', '1').ended
    expect(late).toMatchObject({ exitCode: 4 })
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })

  test('a request that was not made by keelson join, or for another signer, is not approved', async () => {
    const joined = joining('y.example.org', await joiner('eve'))
    const request = await joined.request()
    const { spec } = JSON.parse(await kubectl('get', 'csr', request, '--output=json')) as { spec: object }
    const make = async (name: string, changes: object) =>
      cluster.kubectl(['create', '--filename=-'], {
        input: JSON.stringify({
          apiVersion: 'certificates.k8s.io/v1',
          kind: 'CertificateSigningRequest',
          metadata: { name },
          spec: { ...spec, ...changes },
        }),
      })
    await make('y.example.org', {})
    await make('other', { signerName: 'example.org/other' })
    const approve = async (name: string) =>
      (await keelson('approve', name, '--kubeconfig', cluster.adminKubeconfig).ended).stderr
    expect(await approve('y.example.org')).toContain('(NameMismatch)')
    expect(await approve('other')).toContain('(NotForKeelson)')
    expect(await approve('absent')).toContain('(NotFound)')
    await kubectl('certificate', 'deny', request)
    await joined.ended
  })

  test('the name of a request is made of host and key', () => {
    const fingerprint = createHash('sha256').update('a key').digest('hex')
    expect(requestName('node1', fingerprint)).toMatch(/^node1-[0-9a-f]{20}$/)
  })
})

/** The same token with another end, `seconds` from now (the API server allows a minute for clocks that differ), signed by the cluster's own key. */
async function withExpiry(token: string, seconds: number): Promise<string> {
  const [head, body] = token.split('.')
  const claims = JSON.parse(Buffer.from(body!, 'base64url').toString()) as Record<string, unknown>
  const now = Math.floor(Date.now() / 1_000)
  const dates = { iat: now - 3_600, nbf: now - 3_600, exp: now + seconds }
  const changed = `${head}.${Buffer.from(JSON.stringify({ ...claims, ...dates })).toString('base64url')}`
  const key = await readFile(join(cluster.directory, 'service-account.key'))
  const signature = sign('sha256', Buffer.from(changed), { key, dsaEncoding: 'ieee-p1363' })
  return `${changed}.${signature.toString('base64url')}`
}
