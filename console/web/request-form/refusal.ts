import type { Problem } from '../../protocol/problem.ts'
import { fieldOfPath } from './field-of-path.ts'
import type { FormField, RequestForm } from './request-form.ts'

/** What the server said no to, at the field that is to be changed. */
export type Refusal = {
  /** `undefined`: of the whole. */
  readonly field: FormField | undefined
  /** As the API server says it, in English. */
  readonly message: string
} & (
  | { readonly kind: 'Invalid' }
  | { readonly kind: 'NameTaken' }
  /** A right on a host is missing: `verb` on `hosts/area`. */
  | {
      readonly kind: 'HostForbidden'
      readonly user: string
      readonly verb: string
      readonly area: string
      readonly host: string | undefined
    }
  | { readonly kind: 'SecretForbidden'; readonly user: string; readonly secret: string; readonly namespace: string }
  /** A right on HostRequests is missing in the namespace. */
  | { readonly kind: 'RequestForbidden'; readonly user: string; readonly verb: string; readonly namespace: string }
)

/** As the policies of docs/security.md and RBAC itself word it. */
const onHost = /user "([^"]+)" may not (get|update) hosts\/([A-Za-z]+) on (?:host "([^"]+)"|every host)/
const onSecret = /user "([^"]+)" may not get the Secret "([^"]+)" in the namespace "([^"]+)"/
const onRequest = /User "([^"]+)" cannot (\w+) resource "hostrequests"[^"]*(?:"[^"]*"[^"]*)? in the namespace "([^"]+)"/

/** Everything that an answer refuses, each at its field where one can be told. At least one. */
export function refusalsOf(problem: Problem, form: RequestForm): Refusal[] {
  const { causes = [], field, message, kubernetes } = problem
  if (kubernetes?.status === 403) return [forbidden(message, form)]
  if (kubernetes?.reason === 'AlreadyExists') return [{ kind: 'NameTaken', field: 'name', message }]
  const named = causes.length > 0 ? causes : field === undefined ? [] : [{ field, message }]
  if (named.length === 0) return [{ kind: 'Invalid', field: undefined, message }]
  return named.map((cause) => ({ kind: 'Invalid', field: placeOf(cause, form), message: cause.message }))
}

function forbidden(message: string, form: RequestForm): Refusal {
  const [, user = '', verb = '', area = '', host] = onHost.exec(message) ?? []
  if (user !== '') return { kind: 'HostForbidden', field: 'hosts', message, user: short(user), verb, area, host }
  const [, reader = '', secret = '', of = ''] = onSecret.exec(message) ?? []
  if (reader !== '') {
    const index = form.parameters.findIndex((row) => row.source === 'Secret' && row.secretName === secret)
    const field = index < 0 ? 'parameters' : (`parameters.${index}.secret` as const)
    return { kind: 'SecretForbidden', field, message, user: short(reader), secret, namespace: of }
  }
  const [, author = '', action = '', namespace = ''] = onRequest.exec(message) ?? []
  if (author === '') return { kind: 'Invalid', field: undefined, message }
  return { kind: 'RequestForbidden', field: 'namespace', message, user: short(author), verb: action, namespace }
}

/** The Text rule speaks of the whole list, and names the parameter. */
function placeOf(
  { field: path, message }: { field: string; message: string },
  form: RequestForm,
): FormField | undefined {
  const field = fieldOfPath(path)
  if (field !== 'parameters') return field
  const [, key] = /^.*?parameter(?: key)? "([^"]+)"/.exec(message) ?? []
  const index = form.parameters.findLastIndex((row) => row.key === key)
  if (index < 0) return field
  return `parameters.${index}.${/^.*?parameter key/.test(message) ? 'key' : 'value'}`
}

/** People and scripts of the console go by the names of their accounts. */
function short(user: string): string {
  return user.replace(/^system:serviceaccount:keelson-users:/, '')
}
