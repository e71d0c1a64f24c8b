import type { ChangeResult } from '@keelson/api'
import type { z } from 'zod'
import { ResourceError } from './resource-error.ts'
import type { Fields, ResourceType } from './resource-type.ts'
import type { System } from './system.ts'

/** Parameters of a request as they came in. */
export type Parameters = Readonly<Record<string, string>>

/** What a GET answers. */
export async function readResource(
  type: ResourceType,
  system: System,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<Fields> {
  return type.fields(await type.read(system, parse(type.query, parameters), signal))
}

/** What a POST does: validate → observe → plan → apply → observe. What is as wanted already is left alone. */
export async function changeResource(
  type: ResourceType,
  system: System,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<ChangeResult> {
  const desired = parse(type.body, parameters)
  const state = await type.read(system, desired, signal)
  const before = type.fields(state)
  const changes = type.diff(state, desired)
  if (changes.length === 0) return { changed: false, before, after: before }
  await type.apply(system, { state, desired, changes }, signal)
  // What was found, not what was asked for: the act may have removed the alias (systemctl disable does).
  return { changed: true, before, after: type.fields(await type.read(system, state, signal)) }
}

const maxNameLength = 64

/** The first violation is the one that is told: whoever asks corrects one at a time. */
function parse<Output>(grammar: z.ZodType<Output>, parameters: Parameters): Output {
  const result = grammar.safeParse(parameters)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  if (issue === undefined) throw result.error
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0] ?? ''
    throw refusal('ParameterUnknown', `${shown(name)} is not a parameter of this type`, name)
  }
  const field = issue.path[0] === undefined ? undefined : String(issue.path[0])
  if (issue.code === 'custom') {
    const code: unknown = issue.params?.['code']
    throw refusal(typeof code === 'string' ? code : 'ValueRefused', issue.message, field)
  }
  if (field !== undefined && !Object.hasOwn(parameters, field)) {
    throw refusal('ParameterMissing', `parameter ${shown(field)} is required`, field)
  }
  throw refusal('ValueRefused', issue.message, field)
}

function refusal(code: string, message: string, field: string | undefined): ResourceError {
  return new ResourceError('parameter', code, message, { field })
}

function shown(name: string): string {
  return JSON.stringify(name.length > maxNameLength ? `${name.slice(0, maxNameLength)}…` : name)
}
