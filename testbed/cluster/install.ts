import { resolve } from 'node:path'
import { systemNamespace } from '@keelson/api'
import { productVersion } from '@keelson/api/product-version'
import { CommandError } from '../command.ts'
import { imageArchive, type KeelsonImage } from '../images/keelson-image.ts'
import { report } from '../progress.ts'
import type { Cluster } from './cluster.ts'
import { prepareCluster } from './prepare.ts'

/** Of the tree. */
export const chartFolder = resolve(import.meta.dirname, '../../deploy/chart')

/** What tests upgrade to. */
export const nextImage = { version: '0.2.0' } as const satisfies KeelsonImage
/** What they cannot upgrade to. */
export const brokenImage = { version: '0.1.1', brokenAgent: true } as const satisfies KeelsonImage

/** As {@link prepareCluster}, and the images that can be installed then. */
export async function prepareInstallation(): Promise<Record<string, string>> {
  for (const image of [{}, nextImage, brokenImage]) await imageArchive(image)
  return prepareCluster()
}

export type InstallOptions = {
  /** Loaded into every host first; default: that of the tree. */
  readonly image?: KeelsonImage
  /** Of the chart, beside what a cluster without volumes and registry needs. */
  readonly values?: Readonly<Record<string, unknown>>
  /** False: comes back as soon as the API server has everything. The default is to wait until all Pods are Ready. */
  readonly wait?: boolean
}

/**
 * Installs Keelson by the chart of the tree, or upgrades it.
 *
 * @throws CommandError with Helm's words
 */
export async function installKeelson(cluster: Cluster, options: InstallOptions = {}): Promise<void> {
  const { image = {}, values = {}, wait = true } = options
  const { version = productVersion } = image
  const started = performance.now()
  await cluster.loadImage(await imageArchive(image))
  const own = { image: { tag: version }, console: { database: { type: 'EmptyDir' } } }
  const overrides = Object.entries(values).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`)
  const argv = [
    ...['upgrade', '--install', 'keelson', chartFolder, `--namespace=${systemNamespace}`, '--create-namespace'],
    ...['--values=-', ...overrides],
    ...(wait ? ['--wait', '--timeout=120s'] : []),
  ]
  const result = await cluster.helm(argv, { input: JSON.stringify(own) })
  if (result.exitCode !== 0) throw new CommandError(['helm', ...argv], result)
  report('install', `keelson ${version} installed in ${((performance.now() - started) / 1_000).toFixed(1)} s`)
}
