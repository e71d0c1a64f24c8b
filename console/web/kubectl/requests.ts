import { apiVersion, type HostRequestSpec } from '@keelson/api'
import type { z } from 'zod'
import { stringify } from 'yaml'
import type { RequestPatch } from '../../protocol/steering.ts'
import type { KubectlCommand } from './command.ts'

export interface RequestKey {
  readonly namespace: string
  readonly name: string
}

/** As a person writes it: what is at its default may be left out. */
export type WrittenSpec = z.input<typeof HostRequestSpec>

/** A HostRequest as YAML, for a file or the standard input of kubectl. Long values stay on one line, as they were typed. */
export function manifest(
  { namespace, name }: RequestKey,
  spec: WrittenSpec,
  annotations?: Readonly<Record<string, string>>,
): string {
  const metadata = { name, namespace, ...(annotations === undefined ? {} : { annotations }) }
  const object = { apiVersion, kind: 'HostRequest', metadata, spec }
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** What deletes itself must not be applied again by whoever keeps the manifest, so that one is created. */
export function sendCommand(key: RequestKey, spec: WrittenSpec): KubectlCommand {
  const verb = spec.ttlSecondsAfterFinished === undefined ? 'apply' : 'create'
  return { argv: ['kubectl', verb, '--filename=-'], input: manifest(key, spec) }
}

/** Always another object: one that was applied twice would be changed, not made. */
export function createCommand(
  key: RequestKey,
  spec: WrittenSpec,
  annotations?: Readonly<Record<string, string>>,
): KubectlCommand {
  return { argv: ['kubectl', 'create', '--filename=-'], input: manifest(key, spec, annotations) }
}

export function patchCommand({ namespace, name }: RequestKey, patch: RequestPatch): KubectlCommand {
  const argv = ['kubectl', 'patch', 'hostrequest', name, `--namespace=${namespace}`, '--type=merge', '--patch']
  return { argv: [...argv, JSON.stringify(patch)] }
}

export function deleteCommand({ namespace, name }: RequestKey): KubectlCommand {
  return { argv: ['kubectl', 'delete', 'hostrequest', name, `--namespace=${namespace}`] }
}

export function getCommand({ namespace, name }: RequestKey): KubectlCommand {
  return { argv: ['kubectl', 'get', 'hostrequest', name, `--namespace=${namespace}`, '--output=yaml'] }
}

/** Until the run has ended, well or not. */
export function waitCommand({ namespace, name }: RequestKey): KubectlCommand {
  return { argv: ['kubectl', 'wait', `hostrequest/${name}`, `--namespace=${namespace}`, '--for=condition=Finished'] }
}
