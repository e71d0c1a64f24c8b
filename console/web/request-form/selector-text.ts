import { refuseSpec, type LabelSelector } from '@keelson/api'

/** A part of a selector that cannot be read, as it was typed. */
export class SelectorRefused extends Error {
  readonly code = 'SelectorRefused'
  readonly part: string

  constructor(part: string) {
    super(`not a requirement on labels: ${part}`)
    this.part = part
  }
}

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number]

const requirement =
  /^(?:!\s*(?<absent>[^\s!=,()]+)|(?<key>[^\s!=,()]+)(?:\s*(?<equality>==?|!=)\s*(?<value>[^\s!=,()]*)|\s+(?<set>in|notin)\s*\(\s*(?<values>[^()]*?)\s*\))?)$/

/**
 * A selector as kubectl's `--selector` has it, `zone=a,tier in (x, y),!gone`, as the object of the API. An empty text selects everything.
 *
 * @throws SelectorRefused where a part is none, or a key or value is not one that labels can have.
 */
export function parseSelector(text: string): LabelSelector {
  const matchLabels = new Map<string, string>()
  const matchExpressions: Requirement[] = []
  for (const part of parts(text)) {
    const { absent, key = '', equality, value = '', set, values = '' } = requirement.exec(part)?.groups ?? {}
    const found = read({ absent, key, equality, value, set, values })
    if (found === undefined || !isValid({ matchExpressions: [found] })) throw new SelectorRefused(part)
    // A second value for the same label is another requirement, which nothing fulfils, not a better one.
    const [only = ''] = found.values ?? []
    const isPlain = equality === '=' || equality === '=='
    if (isPlain && !matchLabels.has(found.key)) matchLabels.set(found.key, only)
    else matchExpressions.push(found)
  }
  const selector = {
    ...(matchLabels.size === 0 ? {} : { matchLabels: Object.fromEntries(matchLabels) }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  }
  if (!isValid(selector)) throw new SelectorRefused(text.trim())
  return selector
}

/** The inverse of `parseSelector`. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`
      case 'NotIn':
        return `${key} notin (${values.join(',')})`
      case 'Exists':
        return key
      case 'DoesNotExist':
        return `!${key}`
    }
  })
  return [...equal, ...others].join(',')
}

type Groups = Readonly<Record<'key' | 'value' | 'values', string>> &
  Readonly<Record<'absent' | 'equality' | 'set', string | undefined>>

function read({ absent, key, equality, value, set, values }: Groups): Requirement | undefined {
  if (absent !== undefined) return { key: absent, operator: 'DoesNotExist' }
  if (key === '') return undefined
  if (equality !== undefined) return { key, operator: equality === '!=' ? 'NotIn' : 'In', values: [value] }
  if (set === undefined) return { key, operator: 'Exists' }
  return { key, operator: set === 'in' ? 'In' : 'NotIn', values: values.split(',').map((one) => one.trim()) }
}

function isValid(hostSelector: LabelSelector): boolean {
  return refuseSpec({ workers: [], hostSelector, http: { port: 80, api: '/', method: 'GET' } }).length === 0
}

/** At commas that are in no parentheses. */
function parts(text: string): string[] {
  if (text.trim() === '') return []
  return text.split(/,(?![^(]*\))/).map((part) => part.trim())
}
