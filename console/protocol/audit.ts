import { z } from 'zod'
import { Label, Time } from './names.ts'
import { defineRoute } from './route.ts'

export const outcomes = ['Pending', 'Succeeded', 'Denied', 'Failed', 'Unknown'] as const

export const AuditEntry = z.object({
  sequence: z.int(),
  time: Time.describe('Of the intent, written before the call.'),
  actor: z.string().max(63).describe('Name of the account; of a sign-in that failed, the name that was given.'),
  address: z.string().max(63),
  action: z.string().max(63).describe('Name of the route.'),
  object: z.string().max(512).describe('What it was about: hostrequests/NAMESPACE/NAME, accounts/NAME.'),
  detail: z.string().max(2048).describe('What was asked, as JSON, secrets left out.'),
  outcome: z
    .enum(outcomes)
    .describe('Denied: refused for lack of a right. Unknown: the console ended before it was known.'),
  status: z.int().optional().describe('HTTP status of the answer.'),
  message: z.string().max(1024).describe('Of a failure; else empty.'),
  finishedAt: Time.optional(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

const AuditFilter = z.object({
  actor: Label.optional(),
  action: z.string().max(63).optional(),
  object: z.string().max(512).optional().describe('Beginning of it.'),
  outcome: z.enum(outcomes).optional(),
  from: Time.optional(),
  to: Time.optional(),
})

export const listAudit = defineRoute({
  name: 'listAudit',
  summary: 'Who did what, the newest first',
  method: 'GET',
  path: '/api/audit',
  query: AuditFilter.extend({
    before: z.coerce.number().int().optional().describe('Only entries with a smaller sequence: the next page.'),
    limit: z.coerce.number().int().min(1).max(200).default(50),
  }),
  answer: z.object({ entries: z.array(AuditEntry).max(200), more: z.boolean() }),
})

export const exportAudit = defineRoute({
  name: 'exportAudit',
  summary: 'The same as a file, at most 100,000 entries: text/csv or application/x-ndjson',
  method: 'GET',
  path: '/api/audit/export',
  query: AuditFilter.extend({ format: z.enum(['csv', 'ndjson']).default('csv') }),
  answer: z.string(),
})
