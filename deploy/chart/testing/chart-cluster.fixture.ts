import { ControlPlane } from '@keelson/testbed'
import type { Manifest } from '../../install-manifests.ts'
import { chart, helm, type HelmResult, type Values } from './helm.fixture.ts'

const group = ['--namespace', 'keelson-system']

/** An API server, and Helm in front of it. No Pods run there: what is made of workloads are their objects. */
export class ChartCluster implements AsyncDisposable {
  readonly controlPlane: ControlPlane

  private constructor(controlPlane: ControlPlane) {
    this.controlPlane = controlPlane
  }

  static async start(): Promise<ChartCluster> {
    return new ChartCluster(await ControlPlane.start())
  }

  /** @throws Error with kubectl's words */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.controlPlane.kubectl(args, input === undefined ? {} : { input })
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
    return stdout
  }

  async helm(args: readonly string[], values?: Values): Promise<HelmResult> {
    const { adminKubeconfig: kubeconfig, directory: home } = this.controlPlane
    return helm([...args, ...group], { kubeconfig, home, ...(values === undefined ? {} : { values }) })
  }

  /** @throws Error with Helm's words */
  async mustHelm(args: readonly string[], values?: Values): Promise<string> {
    const { exitCode, stdout, stderr } = await this.helm(args, values)
    if (exitCode !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr.trim()}`)
    return stdout
  }

  /** With these values and no earlier ones. */
  async install(values: Values = {}, folder = chart): Promise<void> {
    await this.mustHelm(['upgrade', '--install', '--reset-values', 'keelson', folder], values)
  }

  /** What of Keelson there is, whoever made it: kind, namespace and name, sorted. */
  async leftovers(): Promise<readonly string[]> {
    const all = await this.kubectl(['api-resources', '--verbs=list', '--output=name'])
    const transient = /^(events|endpointslices|endpoints|leases|controllerrevisions)(\.|$)/
    const resources = all.split('\n').filter((name) => name !== '' && !transient.test(name))
    const format = [
      '--output=jsonpath={range .items[*]}{.kind}{" "}{.metadata.namespace}{"/"}{.metadata.name}{"\\n"}{end}',
    ]
    const found = await this.kubectl(['get', resources.join(','), '--all-namespaces', '--ignore-not-found', ...format])
    return found
      .split('\n')
      .filter((line) => /keelson/.test(line))
      .toSorted()
  }

  async get<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl(['get', ...args, '--output=json'])) as T
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controlPlane[Symbol.asyncDispose]()
  }
}

/** The Pod that a controller would make of a workload of the chart. */
export function podOf(object: Manifest): Manifest {
  const { template } = (object as unknown as { spec: { template: { metadata: object; spec: object } } }).spec
  const metadata = { ...template.metadata, name: object.metadata.name, namespace: object.metadata.namespace! }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec } as Manifest
}
