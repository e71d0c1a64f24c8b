import { HostRequestSpec } from '@keelson/api'
import type { WrittenSpec } from '../kubectl/requests.ts'
import type { ParameterRow, RequestForm } from './request-form.ts'
import { parseSelector, selectorText, SelectorRefused } from './selector-text.ts'

/** What the API server makes of a spec that says only what it must. */
export const defaults = HostRequestSpec.parse({ workers: [], http: { port: 1, api: '/', method: 'GET' } })

/**
 * What the form asks for, with only what differs from the defaults: what a person would write by hand. Not checked: what was typed where a number belongs
 * stays the text that it is, and is refused as such. `undefined` as long as nobody is chosen: in a spec, nobody means everybody.
 */
export function specOf(form: RequestForm): WrittenSpec | undefined {
  const hosts = hostsOf(form)
  if (hosts === undefined) return undefined
  const spec = {
    ...hosts,
    http: {
      port: wholeNumber(form.port),
      api: form.api.trim(),
      method: form.method,
      ...unless(form.targetType, 'All', (targetType) => ({ targetType })),
      ...(form.parameters.length > 0 && { parameters: form.parameters.map(parameterOf) }),
      ...unless(form.check, 'Text', (check) => ({ check })),
      ...unless(form.scheme, '', (scheme) => ({ scheme })),
      ...list(form.successCodes, (successCodes) => ({ successCodes }), defaults.http.successCodes),
    },
    ...number(form, 'timeoutSeconds'),
    ...number(form, 'activeDeadlineSeconds'),
    ...amount(form, 'parallelism'),
    ...filled(form.retryLimit, wholeNumber, defaults.retry.limit, (limit) => ({ retry: { limit } })),
    ...list(form.waves, (waves) => ({ waves: waves.map(wholeNumber) }), defaults.waves),
    ...amount(form, 'maxFailures'),
    ...unless(form.onFailure, 'Stop', (onFailure) => ({ onFailure })),
    ...unless(form.onOffline, 'Skip', (onOffline) => ({ onOffline })),
    ...unless(form.onUnknown, 'Fail', (onUnknown) => ({ onUnknown })),
    ...unless(form.answers, '', (answers) => ({ answers })),
    ...number(form, 'ttlSecondsAfterFinished'),
  }
  // What is of a wrong type is found by whoever checks it, and nothing else may be sent.
  return spec as WrittenSpec
}

/** A stored spec as a person would have written it: what is at its default is left out. */
export function writtenSpec(spec: HostRequestSpec): WrittenSpec {
  const { dryRun, runToken, suspend } = spec
  return {
    ...(specOf(formOf(spec, { namespace: '', name: '' })) ?? spec),
    ...unless(dryRun, defaults.dryRun, () => ({ dryRun })),
    ...unless(runToken, defaults.runToken, () => ({ runToken })),
    ...unless(suspend, defaults.suspend, () => ({ suspend })),
  }
}

/** The form that asks for what a spec asks for. What steers one run alone, as a pause or a token, is not taken along. */
export function formOf(spec: HostRequestSpec, key: Pick<RequestForm, 'namespace' | 'name'>): RequestForm {
  const { http } = spec
  const text = (value: number | string | undefined, standard?: number | string) =>
    value === undefined || value === standard ? '' : String(value)
  const same = (one: readonly unknown[], other: readonly unknown[]) => JSON.stringify(one) === JSON.stringify(other)
  const selector = selectorText(spec.hostSelector ?? {})
  return {
    ...key,
    who: spec.workers.length > 0 ? 'Names' : selector === '' ? 'Every' : 'Labels',
    names: [...new Set(spec.workers.map(({ name }) => name))],
    selector,
    targetType: http.targetType,
    port: String(http.port),
    api: http.api,
    method: http.method,
    parameters: http.parameters.map(rowOf),
    check: http.check,
    scheme: http.scheme ?? '',
    successCodes: same(http.successCodes, defaults.http.successCodes) ? '' : http.successCodes.join(', '),
    timeoutSeconds: text(spec.timeoutSeconds, defaults.timeoutSeconds),
    activeDeadlineSeconds: text(spec.activeDeadlineSeconds, defaults.activeDeadlineSeconds),
    parallelism: text(spec.parallelism, defaults.parallelism),
    retryLimit: text(spec.retry.limit, defaults.retry.limit),
    waves: same(spec.waves, defaults.waves) ? '' : spec.waves.join(', '),
    maxFailures: text(spec.maxFailures, defaults.maxFailures),
    onFailure: spec.onFailure,
    onOffline: spec.onOffline,
    onUnknown: spec.onUnknown,
    answers: spec.answers ?? '',
    ttlSecondsAfterFinished: text(spec.ttlSecondsAfterFinished),
  }
}

function hostsOf({ who, names, selector }: RequestForm): Pick<WrittenSpec, 'workers' | 'hostSelector'> | undefined {
  if (who === 'Every') return { workers: [] }
  if (who === 'Names' && names.length === 0) return undefined
  const workers = who === 'Names' ? names.map((name) => ({ name })) : []
  try {
    const hostSelector = parseSelector(selector)
    if (Object.keys(hostSelector).length > 0) return { workers, hostSelector }
  } catch (error) {
    if (error instanceof SelectorRefused) return undefined
    throw error
  }
  return who === 'Labels' ? undefined : { workers }
}

function parameterOf({ key, source, value, secretName, secretKey }: ParameterRow) {
  if (source === 'Value') return { key, value }
  return { key, valueFrom: { secretKeyRef: { name: secretName, key: secretKey } } }
}

function rowOf({ key, value = '', valueFrom }: HostRequestSpec['http']['parameters'][number]): ParameterRow {
  const { name = '', key: secretKey = '' } = valueFrom?.secretKeyRef ?? {}
  return { key, source: valueFrom === undefined ? 'Value' : 'Secret', value, secretName: name, secretKey }
}

/** A number where the text is one, else the text. */
function wholeNumber(text: string): number | string {
  return /^[0-9]{1,15}$/.test(text.trim()) ? Number(text) : text.trim()
}

/** Nothing where the text is empty or means the default. */
function filled<Value, Part extends object>(
  text: string,
  read: (text: string) => Value,
  standard: Value | undefined,
  part: (value: Value) => Part,
): Part | undefined {
  if (text.trim() === '') return undefined
  const value = read(text)
  return JSON.stringify(value) === JSON.stringify(standard) ? undefined : part(value)
}

function unless<Value, Part extends object>(
  value: Value,
  standard: NoInfer<Value>,
  part: (value: Value) => Part,
): Part | undefined {
  return value === standard ? undefined : part(value)
}

function number(form: RequestForm, field: 'timeoutSeconds' | 'activeDeadlineSeconds' | 'ttlSecondsAfterFinished') {
  return filled<number | string, object>(form[field], wholeNumber, defaults[field], (value) => ({ [field]: value }))
}

function amount(form: RequestForm, field: 'parallelism' | 'maxFailures') {
  return filled<number | string, object>(form[field], wholeNumber, defaults[field], (value) => ({ [field]: value }))
}

/** Separated by commas or spaces. */
function list<Part extends object>(text: string, part: (items: string[]) => Part, standard: readonly unknown[]) {
  return filled(text, items, standard as string[], part)
}

function items(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '')
}
