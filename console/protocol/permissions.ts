import { z } from 'zod'
import { Label } from './names.ts'
import { defineRoute } from './route.ts'

/** Where a person may do something: everywhere, or in these namespaces. */
const Where = z.union([z.literal('All'), z.array(Label).max(256)])

/** What the pages show and hide by. It decides nothing: every call is decided by Kubernetes again. */
export const Permissions = z.object({
  listHosts: z.boolean(),
  listRequests: Where,
  writeRequests: Where,
  manageAccess: z.boolean().describe('May list and make accounts in keelson-users.'),
  readAudit: z.boolean().describe('May get audits.keelson.dev, a resource that is there for this right only.'),
})
export type Permissions = z.infer<typeof Permissions>

export const getPermissions = defineRoute({
  name: 'getPermissions',
  summary: 'What whoever is signed in may do, as Kubernetes says',
  method: 'GET',
  path: '/api/permissions',
  query: z.object({
    namespace: Label.optional().describe('Asked about as well as the namespaces that hold requests.'),
  }),
  answer: Permissions,
})
