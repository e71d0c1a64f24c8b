import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@keelson/testbed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleFile } from '../index.ts'
import { ChartCluster, podOf } from './testing/chart-cluster.fixture.ts'
import { chart, rendered, type Values } from './testing/helm.fixture.ts'
import { everything, modest } from './testing/values.fixture.ts'

let cluster: ChartCluster
beforeAll(async () => {
  cluster = await ChartCluster.start()
  await cluster.kubectl(['create', 'namespace', 'keelson-system'])
  await cluster.kubectl(['create', 'namespace', 'keelson-users'])
  await cluster.kubectl(['apply', '--server-side', '--filename=-'], JSON.stringify(serviceMonitors))
})
afterAll(async () => cluster?.[Symbol.asyncDispose]())

/** As much of the Prometheus operator's kind as the chart uses, and no more is taken. */
const serviceMonitors = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    ...{
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind: 'ServiceMonitor', plural: 'servicemonitors' },
    },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  selector: {
                    type: 'object',
                    properties: { matchLabels: { type: 'object', additionalProperties: { type: 'string' } } },
                  },
                  endpoints: {
                    type: 'array',
                    items: {
                      type: 'object',
                      properties: Object.fromEntries(
                        ['port', 'path', 'interval'].map((name) => [name, { type: 'string' }]),
                      ),
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
}

describe('the API server takes', () => {
  test.each<[string, Values]>([
    ['all objects by default', {}],
    ['all objects with everything on', everything],
    ['all objects with little', modest],
  ])('%s, without a warning', async (_, values) => {
    const list = { apiVersion: 'v1', kind: 'List', items: await rendered(values) }
    const args = [
      'apply',
      '--server-side',
      '--dry-run=server',
      '--validate=strict',
      '--warnings-as-errors',
      '--filename=-',
    ]
    const { exitCode, stderr } = await cluster.controlPlane.kubectl(args, { input: JSON.stringify(list) })
    expect([exitCode, stderr]).toEqual([0, ''])
  })
})

describe('Pod Security admission', () => {
  const workloads = async (values: Values) =>
    (await rendered(values)).filter(({ kind }) => ['Deployment', 'DaemonSet'].includes(kind))

  async function verdict(pod: object, namespace: string): Promise<string> {
    const args = ['create', '--dry-run=server', '--validate=strict', `--namespace=${namespace}`, '--filename=-']
    const { exitCode, stderr } = await cluster.controlPlane.kubectl(args, { input: JSON.stringify(pod) })
    return exitCode === 0 ? 'taken' : stderr
  }

  beforeAll(async () => {
    for (const level of ['restricted', 'baseline', 'privileged']) {
      await cluster.kubectl(['create', 'namespace', level])
      await cluster.kubectl(['label', 'namespace', level, `pod-security.kubernetes.io/enforce=${level}`])
      for (const account of ['keelson-operator', 'keelson-console', 'keelson-installer'])
        await cluster.kubectl(['create', 'serviceaccount', account, `--namespace=${level}`])
    }
    return async () => cluster.kubectl(['delete', 'namespace', 'restricted', 'baseline', 'privileged'])
  })

  test.each<[string, Values]>([
    ['by default', {}],
    ['with everything on', everything],
  ])('takes operator and console as restricted, and the installer where all is allowed, %s', async (_, values) => {
    const levels = ['restricted', 'baseline', 'privileged']
    const refusedAt: Record<string, string[]> = {}
    for (const object of await workloads(values)) {
      const pod = podOf(object)
      refusedAt[object.metadata.name] = []
      for (const level of levels) {
        const said = await verdict({ ...pod, metadata: { ...pod.metadata, namespace: level } }, level)
        if (said === 'taken') continue
        expect(said).toContain('violates PodSecurity')
        refusedAt[object.metadata.name]!.push(level)
      }
    }
    expect(refusedAt).toEqual({
      ...{ 'keelson-operator': [], 'keelson-console': [] },
      'keelson-installer': ['restricted', 'baseline'],
    })
  })

  test('is asked by the namespaces that the chart makes', async () => {
    const namespaces = (await rendered(everything)).filter(({ kind }) => kind === 'Namespace')
    const labels = namespaces.map(({ metadata }) => [
      metadata.name,
      metadata.labels?.['pod-security.kubernetes.io/enforce'],
    ])
    expect(Object.fromEntries(labels)).toEqual({ 'keelson-system': 'privileged', 'keelson-users': 'restricted' })
  })

  test('that would refuse the installer is told before anything is installed', async () => {
    await cluster.kubectl(['label', 'namespace', 'keelson-system', 'pod-security.kubernetes.io/enforce=baseline'])
    const { exitCode, stderr } = await cluster.helm(['install', 'keelson', chart])
    await cluster.kubectl(['label', 'namespace', 'keelson-system', 'pod-security.kubernetes.io/enforce-'])
    expect(exitCode).not.toBe(0)
    const remedy = 'kubectl label --overwrite namespace keelson-system pod-security.kubernetes.io/enforce=privileged'
    expect(stderr).toContain(remedy)
  })
})

describe('a release', () => {
  type Field = { readonly subresource?: string }
  type Policy = {
    readonly metadata: { readonly name: string; readonly generation: number; readonly managedFields: Field[] }
  }
  /** By what the operator tells when a policy was changed: all but its status, which the API server's own controllers write. */
  const policies = async () => {
    const kinds = 'validatingadmissionpolicies,validatingadmissionpolicybindings'
    const { items } = await cluster.get<{ items: Policy[] }>(kinds, '--show-managed-fields')
    return items.map(({ metadata }) => [
      metadata.name,
      metadata.generation,
      metadata.managedFields.filter((each) => each.subresource === undefined),
    ])
  }
  const replicas = async () =>
    cluster.kubectl([
      'get',
      'deployment',
      'keelson-operator',
      '--namespace=keelson-system',
      '--output=jsonpath={.spec.replicas}',
    ])

  const kept = [
    'CustomResourceDefinition /hostrequests.keelson.dev',
    'CustomResourceDefinition /hosts.keelson.dev',
    'Namespace /keelson-system',
    'Namespace /keelson-users',
    'PersistentVolumeClaim keelson-system/keelson-console',
  ]
  const whereClaim = ['persistentvolumeclaim', 'keelson-console', '--namespace=keelson-system']
  const atRunTime = [
    ['secret', 'generic', 'keelson-agent-ca', '--namespace=keelson-system'],
    ['configmap', 'keelson-agent-trust', '--namespace=keelson-system'],
    ['serviceaccount', 'ann', '--namespace=keelson-users'],
    ['clusterrole', 'keelson-user:ann', '--verb=get', '--resource=hosts.keelson.dev'],
  ]
  const madeAtRunTime = [
    'ClusterRole /keelson-user:ann',
    'ConfigMap keelson-system/keelson-agent-trust',
    'Secret keelson-system/keelson-agent-ca',
    'ServiceAccount keelson-users/ann',
  ]
  /** What Kubernetes makes for every group, and in every namespace. */
  const born = [
    'APIService /v1alpha1.keelson.dev',
    ...['keelson-system', 'keelson-users'].flatMap((name) => [
      `ConfigMap ${name}/kube-root-ca.crt`,
      `ServiceAccount ${name}/default`,
    ]),
  ]

  /** What is left once the garbage collector has been: ReplicaSets go after their Deployments. */
  async function collected(): Promise<readonly string[]> {
    return eventually('ReplicaSets are collected', async () => {
      const found = await cluster.leftovers()
      return found.some((line) => line.startsWith('ReplicaSet')) ? undefined : found
    })
  }

  let older: string
  beforeAll(async () => {
    await cluster.kubectl(['delete', 'namespace', 'keelson-users'])
    older = await mkdtemp(join(tmpdir(), 'keelson-chart-'))
    await cp(chart, older, { recursive: true })
    const file = join(older, 'Chart.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(/ersion: \d.*/g, 'ersion: 0.0.9'))
    return async () => rm(older, { recursive: true })
  })

  test('is upgraded from an older chart: what an author is judged by does not change for it, what runs does', async () => {
    await cluster.install({}, older)
    const before = await policies()
    expect(before).toHaveLength(8)
    await cluster.install({ operator: { replicas: 3 } })
    expect(await policies()).toEqual(before)
    expect(await replicas()).toBe('3')
    const template = '--output=jsonpath={.spec.template.spec.containers[0].image}'
    const image = await cluster.kubectl([
      'get',
      'daemonset',
      'keelson-installer',
      '--namespace=keelson-system',
      template,
    ])
    expect(image).toBe('ghcr.io/keelson/keelson:0.1.0')
  })

  test('is rolled back, and upgraded again', async () => {
    await cluster.mustHelm(['rollback', 'keelson', '1'])
    expect(await replicas()).toBe('2')
    await cluster.install({ operator: { replicas: 3 } })
    expect(await replicas()).toBe('3')
  })

  test('is changed to everything else that it can be, and back', async () => {
    await cluster.install({ ...everything, namespace: { create: false } })
    await cluster.install(modest)
    await cluster.install()
    expect(await replicas()).toBe('2')
  })

  test('has again what somebody deleted of it', async () => {
    await cluster.kubectl(['delete', 'validatingadmissionpolicy', 'hostrequest-targets.keelson.dev'])
    await cluster.install()
    expect(await policies()).toHaveLength(8)
  })

  test('agents are taken away from all hosts at once, and put onto them one after another', async () => {
    const strategy = async () =>
      cluster.kubectl([
        ...['get', 'daemonset', 'keelson-installer', '--namespace=keelson-system'],
        '--output=jsonpath={.spec.updateStrategy.rollingUpdate.maxUnavailable} {.spec.template.spec.containers[0].args[4]}',
      ])
    expect(await strategy()).toBe('1 --state=Present')
    await cluster.mustHelm(['upgrade', 'keelson', chart, '--reuse-values', '--set', 'agent.state=Absent'])
    expect(await strategy()).toBe('100% --state=Absent')
  })

  test('leaves what its uninstallation names and what was made at run time, and nothing else', async () => {
    // As the operator, the console and people make them.
    for (const object of atRunTime) await cluster.kubectl(['create', ...object])
    await cluster.kubectl(['label', 'clusterrole/keelson-user:ann', 'keelson.dev/account=ann'])
    const said = await cluster.mustHelm(['uninstall', 'keelson'])
    const named = [...said.matchAll(/^\[(\w+)\] (\S+)$/gm)].map(([, kind, name]) => `${kind} ${name}`).toSorted()
    const short = kept.filter((line) => line !== 'Namespace /keelson-system').map((line) => line.replace(/ \S*\//, ' '))
    expect(named).toEqual(short)
    expect(await collected()).toEqual([...kept, ...born, ...madeAtRunTime].toSorted())
  })

  test('takes up what was kept when it is installed again', async () => {
    const uid = async () => cluster.kubectl(['get', ...whereClaim, '--output=jsonpath={.metadata.uid}'])
    const before = await uid()
    await cluster.install()
    expect(await uid()).toBe(before)
    await cluster.mustHelm(['uninstall', 'keelson'])
  })

  test('is gone without a trace by the commands of the README', async () => {
    const readme = await readFile(join(chart, 'README.md'), 'utf8')
    const commands = [...readme.matchAll(/^kubectl (delete .*)$/gm)].map(([, command]) => command!)
    expect(commands).toHaveLength(2)
    for (const command of commands) await cluster.kubectl([...command.split(' '), '--timeout=30s'])
    expect(await cluster.leftovers()).toEqual([])
  })
})

describe('the plain manifests', () => {
  test('are applied twice, and the second time nothing changes', async () => {
    const apply = ['apply', '--server-side', '--filename', bundleFile]
    await cluster.kubectl(apply)
    type Listed = {
      items: readonly { metadata: { uid: string; generation?: number; labels?: Record<string, string> } }[]
    }
    const kinds = 'deployments,daemonsets,clusterroles,roles,validatingadmissionpolicies,networkpolicies,crds'
    const state = async () => {
      const { items } = await cluster.get<Listed>(
        kinds,
        '--all-namespaces',
        '--selector=app.kubernetes.io/name=keelson',
      )
      return items.map(({ metadata }) => [metadata.uid, metadata.generation])
    }
    const before = await state()
    await cluster.kubectl(apply)
    expect(before.length).toBeGreaterThan(20)
    expect(await state()).toEqual(before)
  })

  test('become a release of Helm where that is wished', async () => {
    const said = await cluster.mustHelm(['install', 'keelson', chart, '--take-ownership', '--force-conflicts'])
    expect(said).toContain('STATUS: deployed')
  })
})
