/**
 * One entry of `x-kubernetes-validations`: a CEL rule that the API server evaluates at every write.
 * `message` is what is shown where `messageExpression` is absent or cannot be evaluated.
 *
 * `FieldValueForbidden` is the only reason that shows the message and never the refused value (`FieldValueInvalid` prints
 * the value, `FieldValueDuplicate` drops the message).
 */
export type ValidationRule = {
  readonly rule: string
  readonly message: string
  readonly messageExpression?: string
  readonly reason: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired'
  /** The field that is named in the refusal, below the one that bears the rule, as `.value`; absent: that one itself. */
  readonly fieldPath?: string
}

/** A CEL string literal: JSON's escapes are a subset of CEL's. */
export function celString(text: string): string {
  return JSON.stringify(text)
}
