import {
  apiPathRefusal,
  HostRequestSpec,
  isPortRefused,
  refuseParameters,
  refuseSpec,
  type Refusal,
} from '@keelson/api'
import { Label, Subdomain } from '../../protocol/names.ts'
import { fieldOfPath } from './field-of-path.ts'
import { presetOf } from './presets.ts'
import type { FormField, RequestForm } from './request-form.ts'
import { parseSelector, SelectorRefused } from './selector-text.ts'
import { specOf } from './spec-of-form.ts'

/** What is wrong, for whoever translates it. */
export type ProblemCode =
  | 'NamespaceRefused'
  | 'NameRefused'
  | 'HostsMissing'
  | 'HostsTooMany'
  | 'HostNameRefused'
  | 'SelectorMissing'
  | 'SelectorRefused'
  | 'PortRange'
  | 'PortRefused'
  | 'PathRefused'
  | 'PathAmbiguous'
  | 'SchemeRefused'
  | 'CheckRefused'
  | 'SuccessCodesRefused'
  | 'ParametersTooMany'
  | 'KeyRequired'
  | 'KeyRefused'
  | 'KeyTooLong'
  | 'KeyRepeated'
  | 'ValueRequired'
  | 'ValueTooLong'
  | 'ControlCharacterRefused'
  | 'TextRefused'
  | 'SecretRefused'
  | 'SecretElsewhere'
  | 'NothingToDo'
  | 'NumberRange'
  | 'AmountRange'
  | 'WavesRefused'

interface ProblemValues {
  readonly min: number
  readonly max: number
  /** As `U+003B (;)`. */
  readonly character: string
  readonly key: string
  readonly part: string
}

export interface FormProblem {
  readonly field: FormField
  readonly code: ProblemCode
  /** What the sentence is filled with: a character, a bound, the part of a selector. Never the value of a parameter. */
  readonly values: Readonly<Partial<ProblemValues>>
}

/** Everything that is wrong with the form, by the rules of the API server; in the order of the page. Empty: it can be sent. */
export function checkForm(form: RequestForm): FormProblem[] {
  return [...who(form), ...what(form), ...name(form)]
}

export function problemsOf(problems: readonly FormProblem[], field: FormField): FormProblem[] {
  return problems.filter((one) => one.field === field)
}

function who({ who: choice, names, selector }: RequestForm): FormProblem[] {
  const problems: FormProblem[] = []
  if (choice === 'Names' && names.length === 0) problems.push(problem('hosts', 'HostsMissing'))
  const bad = choice === 'Names' ? names.find((one) => !Subdomain.safeParse(one).success) : undefined
  if (bad !== undefined) problems.push(problem('hosts', 'HostNameRefused', { part: bad }))
  if (choice === 'Names' && names.length > maxNames) problems.push(problem('hosts', 'HostsTooMany', { max: maxNames }))
  if (choice === 'Labels' && selector.trim() === '') problems.push(problem('selector', 'SelectorMissing'))
  if (choice === 'Every') return problems
  try {
    parseSelector(selector)
  } catch (error) {
    if (!(error instanceof SelectorRefused)) throw error
    problems.push(problem('selector', 'SelectorRefused', { part: error.part }))
  }
  return problems
}

function what(form: RequestForm): FormProblem[] {
  // Who gets it is judged by itself, so that a host not chosen yet hides nothing of this.
  const spec = specOf({ ...form, who: 'Every' })!
  const { api, port } = spec.http
  const path = typeof api === 'string' ? apiPathRefusal(api) : undefined
  const refusals = refuseSpec(spec).filter(({ field }) => !field.startsWith('spec.http.parameters['))
  const found = refusals.flatMap((refusal) => translated(refusal) ?? [])
  // Where a type or bound fails the API says no more: here it is said at once.
  if (isPortRefused(port)) found.push(problem('port', 'PortRefused'))
  if (path !== undefined) found.push(problem('api', 'PathAmbiguous'))
  return once([...found, ...parametersOf(form), ...missing(form)])
}

function parametersOf(form: RequestForm): FormProblem[] {
  const { parameters = [] } = specOf({ ...form, who: 'Every' })!.http
  const seen = new Set<string>()
  return parameters.flatMap((parameter, index) => {
    const at = (part: 'key' | 'value' | 'secret') => `parameters.${index}.${part}` as const
    const one = {
      workers: [],
      http: { port: 7117, api: '/', method: 'GET', check: form.check, parameters: [parameter] },
    }
    const bounds = refuseSpec(one).filter(({ code }) => code === 'FieldRefused')
    const problems = bounds.flatMap(({ field }): FormProblem[] => {
      const part = fieldOfPath(field)?.split('.').at(-1)
      if (part === 'key') return [problem(at('key'), parameter.key === '' ? 'KeyRequired' : 'KeyTooLong')]
      return part === 'secret' ? [problem(at('secret'), 'SecretRefused')] : [problem(at('value'), 'ValueTooLong')]
    })
    for (const { field, code, message } of refuseParameters([parameter], form.check)) {
      const character = characterIn(message)
      if (code === 'KeyRefused') problems.push(problem(at('key'), 'KeyRefused', { character }))
      if (code !== 'ValueRefused') continue
      const isText = field === 'spec.http.parameters'
      const refused = isText ? 'TextRefused' : 'ControlCharacterRefused'
      if (!isText || problems.every((other) => other.field !== at('value')))
        problems.push(problem(at('value'), refused, { character }))
    }
    if (parameter.key !== '' && seen.has(parameter.key))
      problems.push(problem(at('key'), 'KeyRepeated', { key: parameter.key }))
    seen.add(parameter.key)
    if (parameter.valueFrom !== undefined && form.port.trim() !== '7117')
      problems.push(problem(at('secret'), 'SecretElsewhere'))
    return problems
  })
}

/** What an agent's type wants to be there, so that it need not be asked for what it would refuse everywhere. */
function missing(form: RequestForm): FormProblem[] {
  const { required = [], oneOf = [] } = presetOf(form)?.methods[form.method] ?? {}
  const given = (key: string) =>
    form.parameters.findIndex((row) => row.key === key && (row.source === 'Secret' || row.value !== ''))
  const problems = required
    .filter((key) => given(key) < 0)
    .map((key) => {
      const index = form.parameters.findIndex((row) => row.key === key)
      return problem(index < 0 ? 'parameters' : `parameters.${index}.value`, 'ValueRequired', { key })
    })
  if (oneOf.length > 0 && oneOf.every((key) => given(key) < 0)) problems.push(problem('parameters', 'NothingToDo'))
  return problems
}

function name({ namespace, name: given }: RequestForm): FormProblem[] {
  return [
    ...(Label.safeParse(namespace).success ? [] : [problem('namespace', 'NamespaceRefused')]),
    ...(Subdomain.safeParse(given).success ? [] : [problem('name', 'NameRefused')]),
  ]
}

/** `undefined`: it is said at another place already. */
function translated({ field: path, code }: Refusal): FormProblem | undefined {
  const field = fieldOfPath(path)
  if (field === undefined) return undefined
  if (field === 'parameters') {
    return code === 'FieldRefused' ? problem(field, 'ParametersTooMany', { max: maxParameters }) : undefined
  }
  const known = refusedAs[field]
  if (known !== undefined) return code === 'PortRefused' || code === 'PathRefused' ? undefined : problem(field, known)
  const range = ranges[field]
  return range === undefined ? undefined : problem(field, range.code, { min: range.min, max: range.max })
}

const { shape } = HostRequestSpec
const maxNames = 1024
const maxParameters = 64

const refusedAs: Readonly<Partial<Record<FormField, ProblemCode>>> = {
  port: 'PortRange',
  api: 'PathRefused',
  scheme: 'SchemeRefused',
  check: 'CheckRefused',
  successCodes: 'SuccessCodesRefused',
  waves: 'WavesRefused',
}

interface Range {
  readonly code: 'NumberRange' | 'AmountRange'
  readonly min: number
  readonly max: number
}

/** Read off the schema, so that the sentence says what holds. */
const ranges: Readonly<Partial<Record<FormField, Range>>> = {
  timeoutSeconds: rangeOf('NumberRange', shape.timeoutSeconds.unwrap()),
  activeDeadlineSeconds: rangeOf('NumberRange', shape.activeDeadlineSeconds.unwrap()),
  ttlSecondsAfterFinished: rangeOf('NumberRange', shape.ttlSecondsAfterFinished.unwrap()),
  retryLimit: rangeOf('NumberRange', shape.retry.unwrap().shape.limit.unwrap()),
  parallelism: rangeOf('AmountRange', shape.parallelism.unwrap().options[0]),
  maxFailures: rangeOf('AmountRange', shape.maxFailures.unwrap().options[0]),
}

function rangeOf(
  code: Range['code'],
  schema: { readonly minValue: number | null; readonly maxValue: number | null },
): Range {
  return { code, min: schema.minValue ?? 0, max: schema.maxValue ?? Number.MAX_SAFE_INTEGER }
}

/** As the refusal names it: `U+003B (;)`. */
function characterIn(message: string): string {
  return /character (U\+[0-9A-F]+(?: \(.\))?|UTF-8 [0-9A-F]+)/u.exec(message)?.[1] ?? ''
}

function problem(field: FormField, code: ProblemCode, values: FormProblem['values'] = {}): FormProblem {
  return { field, code, values }
}

function once(problems: readonly FormProblem[]): FormProblem[] {
  return [...new Map(problems.map((one) => [`${one.field} ${one.code}`, one])).values()]
}
