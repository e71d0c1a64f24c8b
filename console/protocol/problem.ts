import { z } from 'zod'

/**
 * Body of every answer that is not a success, for people and for programs. 400 input, 401 no session, 403 refused (by Kubernetes where `kubernetes` is
 * there), 404, 409 changed meanwhile, 413, 415, 422 refused as a whole, 429 too many (header Retry-After), 500, 502 the cluster gave no usable answer.
 */
export const Problem = z.object({
  code: z.string().max(63).describe('What is wrong, as one CamelCase word for programs.'),
  message: z
    .string()
    .max(2048)
    .describe('What is wrong and what to do, in English; pages translate by code where they can.'),
  field: z.string().max(253).optional().describe('Path of the field that is wrong, as in spec.http.port.'),
  causes: z
    .array(z.object({ field: z.string().max(253), message: z.string().max(1024) }))
    .max(32)
    .optional()
    .describe('Every field that is wrong, where there are several.'),
  kubernetes: z
    .object({ status: z.int(), reason: z.string().max(63) })
    .optional()
    .describe('Status code and reason of the API server, where the answer is its own.'),
})
export type Problem = z.infer<typeof Problem>
