import { presetOf } from './presets.ts'
import type { RequestForm } from './request-form.ts'

/** Room is left for `kubectl get` to show it, and for a retry to append to it. */
const maxLength = 40

/**
 * A name that says what the request does, `set-sysctl-net-ipv4-ip-forward-k3f9`: a DNS label, which ends in what hardly ever repeats.
 *
 * @param random from 0 to below 1, as `Math.random`.
 */
export function suggestedName(form: RequestForm, random: () => number): string {
  const preset = presetOf(form)
  const verb = form.method === 'GET' ? 'get' : preset === undefined ? form.method.toLowerCase() : 'set'
  const subject = preset === undefined ? [form.api] : [preset.name, subjectOf(form, preset.name)]
  const words = [verb, ...subject]
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
  const start = words.slice(0, maxLength).replace(/^-+|-+$/g, '')
  return `${start}-${suffix(random)}`
}

/** The name of what a retry of a request makes; retries of retries do not grow. */
export function retryName(name: string, random: () => number): string {
  const start = name
    .replace(/-retry-[a-z0-9]{4}$/, '')
    .slice(0, 253 - 11)
    .replace(/[.-]+$/, '')
  return `${start}-retry-${suffix(random)}`
}

/** What tells one run from the one before it, for `spec.runToken`. */
export function newRunToken(random: () => number): string {
  return `${suffix(random)}${suffix(random)}`
}

/** A value may come to be in a name, which everybody sees, only where it names a thing. */
function subjectOf({ method, parameters }: RequestForm, preset: string): string {
  const valueOf = (wanted: string) => parameters.find(({ key }) => key === wanted)?.value ?? ''
  if (preset === 'systemdUnit') return valueOf('name')
  if (preset !== 'sysctl') return ''
  return method === 'GET' ? valueOf('key') : (parameters[0]?.key ?? '')
}

/** Letters and digits that nobody takes for one another. */
const alphabet = 'bcdfghjkmnpqrstvwxz23456789'

function suffix(random: () => number): string {
  return Array.from({ length: 4 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
}
