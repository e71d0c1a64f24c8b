import { outcomes, type AuditEntry } from '../../../protocol/audit.ts'
import { oneOf, textOf } from '../../search.ts'

/** What of the audit is seen, as the address says it and as the console takes it; whatever is absent narrows nothing. */
export interface AuditView {
  readonly actor?: string
  readonly action?: string
  readonly object?: string
  readonly outcome?: AuditEntry['outcome']
  readonly from?: string
  readonly to?: string
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

export function auditViewOf(search: Readonly<Record<string, unknown>>): AuditView {
  const actor = textOf(search['actor']).trim().toLowerCase()
  const view = {
    // Anything else is no name of an account, and the console would refuse the whole question.
    actor: label.test(actor) ? actor : '',
    action: textOf(search['action']).slice(0, 63),
    object: textOf(search['object']).trim().slice(0, 512),
    outcome: oneOf(search['outcome'], outcomes) ?? '',
    from: timeOf(search['from']),
    to: timeOf(search['to']),
  }
  return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== ''))
}

function timeOf(value: unknown): string {
  const time = Date.parse(textOf(value))
  return Number.isNaN(time) ? '' : new Date(time).toISOString()
}

/** Actions that leave an entry: whatever changes something. */
export const actions = [
  'signIn',
  'signOut',
  'bootstrap',
  'changePassword',
  'setPreferences',
  'endSession',
  'createRequest',
  'sendRequest',
  'pauseRequest',
  'resumeRequest',
  'abortRequest',
  'runAgain',
  'retryFailed',
  'deleteRequest',
  'createAccount',
  'setGrants',
  'setPassword',
  'setSignIn',
  'deleteAccount',
  'createToken',
  'revokeToken',
] as const

/** The page that shows what an entry is about, where there is one: hostrequests/NAMESPACE/NAME, accounts/NAME. */
export function pageOfObject(object: string): string | undefined {
  const [kind, ...names] = object.split('/')
  if (kind === 'hostrequests' && names.length === 2) return `/requests/${names.map(encodeURIComponent).join('/')}`
  if (kind === 'accounts' && names.length === 1) return `/access/${encodeURIComponent(names[0]!)}`
  return undefined
}
