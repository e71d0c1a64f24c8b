import { z } from 'zod'
import { Facts } from './agent-protocol.ts'
import { Conditions } from './condition.ts'
import { apiVersion } from './group.ts'
import { ObjectMeta } from './object-meta.ts'

const Address = z.object({
  type: z
    .string()
    .max(63)
    .describe('Kind of address as in Node.status: InternalIP, Hostname, ExternalIP, InternalDNS or ExternalDNS.'),
  address: z.string().max(253).describe('The address itself: an IP address or a name.'),
})

export const HostStatus = z.object({
  addresses: z.array(Address).max(16).describe('Addresses of the host, as its Node has them; at most 16.'),
  role: z
    .enum(['ControlPlane', 'Worker'])
    .describe('ControlPlane: its Node has the label node-role.kubernetes.io/control-plane. Worker: all others.'),
  facts: Facts.optional().describe('What the agent last told about its host. Absent: the agent has never answered.'),
  conditions: Conditions.describe(
    'Conditions, at most 8, one of each type. Online: the Node of the host is Ready. Ready: the host is online and its agent answers.',
  ),
  observedGeneration: z.int().min(0).optional().describe('metadata.generation that this status was written about.'),
})
export type HostStatus = z.infer<typeof HostStatus>

/** One machine. The operator keeps one for every Node, with its name. */
export const Host = z
  .object({
    apiVersion: z.literal(apiVersion),
    kind: z.literal('Host'),
    metadata: ObjectMeta,
    status: HostStatus.describe('What is known of the machine; written by the operator.').exactOptional(),
  })
  .describe(
    'A Host is one machine: its addresses, its role, what its agent tells about it, and whether both answer. The operator keeps one for every Node, with the name of the Node.',
  )
export type Host = z.infer<typeof Host>
