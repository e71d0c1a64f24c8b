import { celString, type ValidationRule } from './crd/validation-rule.ts'
import type { Refusal } from './refusal.ts'

/** Bounds of `spec.http.parameters`; lengths in characters. */
export const maxParameters = 64
export const maxKeyLength = 253
export const maxValueLength = 1024

/**
 * What a shell, a template or a glob could take for its own. A value bears none of these, so it stays text even if whatever
 * answers on the port pastes it into a command line.
 */
export const shellCharacters: readonly string[] = Array.from(';&|$<>(){}[]*?!~#`\'"\\')

/**
 * Each finds the first character that may not stand where it stands, always exactly one. RE2, which the API server uses, and
 * JavaScript read all of them alike.
 */
const refusedInKey = '^[^A-Za-z0-9]|[^A-Za-z0-9._/-]'
/** Whatever the check: no grammar of a type has any of these. */
const refusedInValue = '[\\x00-\\x1f\\x7f]'
const refusedInText = `^-|[${shellCharacters.join('').replaceAll(/[[\]\\]/g, '\\$&')}]`

/** What of a key is safe to show: it ends before the first character that is not printable ASCII. */
const printable = '^[ -~]*'

const valueMissingMessage = 'value or valueFrom is required'
const valueTwiceMessage = 'value and valueFrom exclude each other'

/** `%s` is filled by CEL's `format` in the API server and by `format` below: both say the same. */
const keyMessage =
  'parameter key "%s" is refused: character %s; a key is made of letters, digits and . _ / - and begins with a letter or digit'
const valueMessage = 'value of parameter "%s" is refused: character %s; a value has no control character'
const textMessage =
  'value of parameter "%s" is refused: character %s; with check: Text a value has no leading hyphen and none of ' +
  shellCharacters.join(' ')
const repeatedMessage = 'parameter key "%s" appears more than once'

export type ParameterCheck = 'Text' | 'Typed'

/**
 * What keys and values of parameters are made of, wherever they end up, and that no key repeats. `Text`: no value has anything that means
 * something to a shell; `Typed`: that is left to the grammar of the agent's type, which runs none. The controller asks it again before it sends
 * anything, because the CRD in the cluster may be older than the operator, or edited. Lengths and number are the schema's affair, and where Typed
 * may be is the request's: `refuseSpec` asks all.
 */
export function refuseParameters(
  parameters: readonly {
    readonly key: string
    readonly value?: string | undefined
    /** The value is not known yet; whoever gets to know it asks again. */
    readonly valueFrom?: object | undefined
  }[],
  check: ParameterCheck = 'Text',
): Refusal[] {
  const field = 'spec.http.parameters'
  const refusals: Refusal[] = []
  const occurrences = new Map<string, number>()
  for (const [index, { key, value, valueFrom }] of parameters.entries()) {
    const inKey = find(refusedInKey, key)
    const inValue = find(refusedInValue, value ?? '')
    if (inKey) {
      const message = format(keyMessage, shown(key), characterName(inKey))
      refusals.push({ field: `${field}[${index}].key`, code: 'KeyRefused', message })
    } else {
      occurrences.set(key, (occurrences.get(key) ?? 0) + 1)
    }
    if (inValue) {
      const message = format(valueMessage, shown(key), characterName(inValue))
      refusals.push({ field: `${field}[${index}].value`, code: 'ValueRefused', message })
    }
    if (value === undefined && valueFrom === undefined) {
      refusals.push({ field: `${field}[${index}].value`, code: 'ValueRequired', message: valueMissingMessage })
    }
    if (value !== undefined && valueFrom !== undefined) {
      refusals.push({ field: `${field}[${index}].valueFrom`, code: 'ValueFromRefused', message: valueTwiceMessage })
    }
  }
  const repeated = [...occurrences].find(([, count]) => count > 1)
  const text = check === 'Text' ? parameters.find(({ value }) => find(refusedInText, value ?? '') !== '') : undefined
  if (text) {
    const message = format(textMessage, shown(text.key), characterName(find(refusedInText, text.value ?? '')))
    refusals.push({ field, code: 'ValueRefused', message })
  }
  if (repeated) refusals.push({ field, code: 'KeyRepeated', message: format(repeatedMessage, repeated[0]) })
  return refusals
}

/** The same rule for the API server, on one item of the list. */
export const parameterRules: readonly ValidationRule[] = [
  {
    rule: `${celFind('self.key', refusedInKey)} == ""`,
    fieldPath: '.key',
    reason: 'FieldValueForbidden',
    message: 'parameter key is refused',
    messageExpression: celFormat(keyMessage, celShown('self.key'), celCharacterName(celFind('self.key', refusedInKey))),
  },
  {
    rule: `!has(self.value) || ${celFind('self.value', refusedInValue)} == ""`,
    fieldPath: '.value',
    reason: 'FieldValueForbidden',
    message: 'value of parameter is refused',
    messageExpression: celFormat(
      valueMessage,
      celShown('self.key'),
      celCharacterName(celFind('self.value', refusedInValue)),
    ),
  },
  {
    rule: 'has(self.value) || has(self.valueFrom)',
    fieldPath: '.value',
    reason: 'FieldValueRequired',
    message: valueMissingMessage,
  },
  {
    rule: '!has(self.value) || !has(self.valueFrom)',
    fieldPath: '.valueFrom',
    reason: 'FieldValueForbidden',
    message: valueTwiceMessage,
  },
]

/**
 * The Text rule for the API server, on the request: only there the check is known, and the list has no paths to its items. So the field is the list, and
 * the message names the parameter.
 */
export const textRule: ValidationRule = {
  rule:
    '(has(self.check) && self.check == "Typed") || !has(self.parameters)' +
    ` || self.parameters.all(p, !has(p.value) || ${celFind('p.value', refusedInText)} == "")`,
  fieldPath: '.parameters',
  reason: 'FieldValueForbidden',
  message: 'value of parameter is refused',
  messageExpression:
    // The API server knows the sizes of items of the list itself only, and by them what this may cost.
    `self.parameters.map(p, !has(p.value) || ${celFind('p.value', refusedInText)} == "" ? "" : ` +
    celFormat(textMessage, celShown('p.key'), celCharacterName(celFind('p.value', refusedInText))) +
    ').filter(m, m != "")[0]',
}

const illegal = `${celFind('p.key', refusedInKey)} != ""`
const unique = 'self.exists_one(other, other.key == p.key)'

/** … and on the list. Only keys that pass the grammar are counted, so the one that is named is safe to show. */
export const parameterListRules: readonly ValidationRule[] = [
  {
    rule: `self.all(p, ${illegal} || ${unique})`,
    reason: 'FieldValueForbidden',
    message: 'parameter keys are unique',
    messageExpression: celFormat(repeatedMessage, `self.filter(p, !(${illegal} || ${unique}))[0].key`),
  },
]

function find(expression: string, text: string): string {
  return new RegExp(expression, 'u').exec(text)?.[0] ?? ''
}

function format(template: string, ...values: readonly string[]): string {
  const rest = [...values]
  return template.replaceAll('%s', () => rest.shift() ?? '')
}

function shown(key: string): string {
  const start = find(printable, key)
  return start === key ? key : `${start}…`
}

/** `U+003B (;)`, `U+000A` where there is nothing to see, `UTF-8 C3A9` beyond ASCII (CEL knows bytes, not code points). */
function characterName(character: string): string {
  const bytes = [...new TextEncoder().encode(character)]
  const hex = bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('')
  if (bytes.length > 1) return `UTF-8 ${hex}`
  return /^[!-~]$/.test(character) ? `U+00${hex} (${character})` : `U+00${hex}`
}

function celFind(text: string, expression: string): string {
  return `${text}.find(${celString(expression)})`
}

function celFormat(template: string, ...values: readonly string[]): string {
  return `${celString(template)}.format([${values.join(', ')}])`
}

function celShown(key: string): string {
  const start = celFind(key, printable)
  return `${start} == ${key} ? ${key} : ${start} + "…"`
}

/** CEL has no `let`: mapping a list of one evaluates the expression once. */
function celCharacterName(character: string): string {
  return (
    `[${character}].map(c, c.matches("^[!-~]") ? "U+00%X (%s)".format([c, c])` +
    ` : c.matches("^[\\\\x00-\\\\x20\\\\x7f]") ? "U+00%X".format([c]) : "UTF-8 %X".format([c]))[0]`
  )
}
