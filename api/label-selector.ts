import { z } from 'zod'
import type { ValidationRule } from './crd/validation-rule.ts'
import type { Refusal } from './refusal.ts'

export const maxMatchLabels = 32

/** `prefix.example.com/name`, prefix optional; https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
const LabelKey = z
  .string()
  .max(317)
  .regex(
    new RegExp(
      '^([a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$',
    ),
  )

const LabelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/)

const valuesNeeded = 'operators In and NotIn need values'
const valuesRefused = 'operators Exists and DoesNotExist take no values'

const requirementRules: readonly ValidationRule[] = [
  {
    rule: '!(self.operator in ["In", "NotIn"]) || (has(self.values) && self.values.size() > 0)',
    fieldPath: '.values',
    reason: 'FieldValueRequired',
    message: valuesNeeded,
  },
  {
    rule: '!(self.operator in ["Exists", "DoesNotExist"]) || !has(self.values) || self.values.size() == 0',
    fieldPath: '.values',
    reason: 'FieldValueForbidden',
    message: valuesRefused,
  },
]

const LabelSelectorRequirement = z
  .object({
    key: LabelKey.describe('Label key, at most 317 characters.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe(
        'In or NotIn: the value of the label is, or is not, one of values (NotIn also holds without the label). Exists or DoesNotExist: the label is there, or not.',
      ),
    values: z
      .array(LabelValue)
      .max(64)
      .optional()
      .describe('Label values: 1 to 64 for In and NotIn, none for Exists and DoesNotExist.'),
  })
  .meta({ 'x-kubernetes-validations': requirementRules })

/** `metav1.LabelSelector`, bounded. */
export const LabelSelector = z.object({
  matchLabels: z
    .record(LabelKey, LabelValue.describe('Label value.'))
    .meta({
      description: `Labels that a host must have, with these values; at most ${maxMatchLabels}. Default: none.`,
      maxProperties: maxMatchLabels,
    })
    .optional(),
  matchExpressions: z
    .array(LabelSelectorRequirement)
    .max(32)
    .optional()
    .describe('Requirements on labels, all of which must hold; at most 32. Default: none.'),
})
export type LabelSelector = z.infer<typeof LabelSelector>

/** What the schema alone does not say of a selector, for the controller's own check. */
export function refuseSelector(selector: LabelSelector, field: string): Refusal[] {
  const refusals: Refusal[] = []
  if (Object.keys(selector.matchLabels ?? {}).length > maxMatchLabels) {
    const message = `at most ${maxMatchLabels} labels`
    refusals.push({ field: `${field}.matchLabels`, code: 'FieldRefused', message })
  }
  for (const [index, { operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const needsValues = operator === 'In' || operator === 'NotIn'
    if (needsValues === values.length > 0) continue
    const message = needsValues ? valuesNeeded : valuesRefused
    refusals.push({ field: `${field}.matchExpressions[${index}].values`, code: 'SelectorRefused', message })
  }
  return refusals
}
