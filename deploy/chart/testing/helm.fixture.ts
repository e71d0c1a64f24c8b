import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { programs } from '@keelson/testbed'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../../install-manifests.ts'

export const chart = resolve(import.meta.dirname, '..')

export type Values = Readonly<Record<string, unknown>>
export type HelmResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

/** Helm with nothing of the machine's; whoever gives no kubeconfig asks no cluster. */
export async function helm(
  args: readonly string[],
  options: { readonly values?: Values; readonly kubeconfig?: string; readonly home?: string } = {},
): Promise<HelmResult> {
  const program = join(await programs('helm'), 'helm')
  const { values, kubeconfig = '/dev/null', home = '/nonexistent' } = options
  const all = values === undefined ? args : [...args, '--values', '-']
  const { promise, resolve: done } = Promise.withResolvers<HelmResult>()
  const child = execFile(
    program,
    all,
    { env: { KUBECONFIG: kubeconfig, HOME: home }, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
    (error, stdout, stderr) => done({ exitCode: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
  )
  child.stdin!.end(values === undefined ? '' : JSON.stringify(values))
  return promise
}

/** What `helm template` prints. @throws Error with Helm's words */
export async function render(values: Values = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await helm(['template', 'keelson', chart, '--namespace', 'keelson-system'], {
    values,
  })
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

export async function rendered(values: Values = {}): Promise<readonly Manifest[]> {
  return parseAllDocuments(await render(values))
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null)
}
