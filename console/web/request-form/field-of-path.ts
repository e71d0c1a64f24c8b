import { emptyForm, type FormField } from './request-form.ts'

/** Where the path of a field in the API is not the name of a field in the form. */
const others: Readonly<Record<string, FormField>> = {
  'metadata.namespace': 'namespace',
  'metadata.name': 'name',
  'spec.workers': 'hosts',
  'spec.hostSelector': 'selector',
  'spec.retry': 'retryLimit',
  'spec.http.parameters': 'parameters',
}

/**
 * The field of the form that a path of the API is about, as refusals and causes name it: `spec.http.parameters[2].value` is `parameters.2.value`.
 * `undefined`: none of them.
 */
export function fieldOfPath(path: string): FormField | undefined {
  const [, index, part = ''] = /^spec[.]http[.]parameters\[([0-9]+)\][.]?([A-Za-z]*)/.exec(path) ?? []
  if (index !== undefined) return `parameters.${Number(index)}.${parts[part] ?? 'key'}`
  const whole = path.replace(/^(body[.]|\/)/, '').replaceAll(/\[[^\]]*\]/g, '')
  const known = Object.keys(others).find((start) => whole === start || whole.startsWith(`${start}.`))
  if (known !== undefined) return others[known]
  const name = whole.replace(/^spec[.](http[.])?/, '')
  return isField(name) ? name : undefined
}

const parts: Readonly<Record<string, 'key' | 'value' | 'secret'>> = { key: 'key', value: 'value', valueFrom: 'secret' }

function isField(name: string): name is Exclude<keyof typeof emptyForm, 'who' | 'names'> {
  return Object.hasOwn(emptyForm, name) && name !== 'who' && name !== 'names'
}
