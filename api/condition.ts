import { z } from 'zod'

/** `metav1.Condition`, with a shorter message: a status stays small at 5,000 hosts. */
export const Condition = z.object({
  type: z.string().max(63).describe('What this condition tells about, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds: True, False or Unknown.'),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .describe('metadata.generation of the object that this was written about. Absent: unknown.'),
  lastTransitionTime: z.iso.datetime().describe('When status last changed, RFC 3339 in UTC.'),
  reason: z
    .string()
    .max(63)
    .regex(/^[A-Za-z][A-Za-z0-9]*$/)
    .describe('Why, as one CamelCase word for programs.'),
  message: z.string().max(1024).describe('Why, as a sentence for people; at most 1024 characters, may be empty.'),
})
export type Condition = z.infer<typeof Condition>

/** At most eight, merged by type between writers. */
export const Conditions = z
  .array(Condition)
  .max(8)
  .meta({
    description: 'Conditions after metav1.Condition, at most 8, one of each type.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  })
