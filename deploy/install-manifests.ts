import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** What the chart installs by default, as plain objects of Kubernetes. */
export const bundleFile = join(import.meta.dirname, 'keelson.yaml')

/** One object of it. */
export type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
}

/** Kinds by which programs run and are reached. */
const workloadKinds = new Set([
  ...['Deployment', 'DaemonSet', 'Service', 'PersistentVolumeClaim', 'PodDisruptionBudget', 'NetworkPolicy'],
])

/**
 * The objects of deploy/keelson.yaml, each after those that it needs.
 *
 * @param options.workloads false: without what runs programs and leads to them, for a cluster in which no Pods run
 */
export function installManifests({ workloads }: { readonly workloads: boolean }): readonly Manifest[] {
  return parseAllDocuments(readFileSync(bundleFile, 'utf8'))
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null)
    .filter(({ kind }) => workloads || !workloadKinds.has(kind))
}
