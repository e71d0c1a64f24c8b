import { z } from 'zod'
import { Host } from '@keelson/api'
import { Subdomain, Time } from './names.ts'
import { defineRoute } from './route.ts'
import { RequestRow } from './requests.ts'

const ConditionState = z.enum(['True', 'False', 'Unknown'])

/** A Host as lists show it. */
export const HostRow = z.object({
  name: z.string(),
  uid: z.string(),
  role: z.enum(['ControlPlane', 'Worker']),
  online: ConditionState.describe('Its Node is Ready.'),
  ready: ConditionState.describe('It is online and its agent answers.'),
  reason: z.string().describe('Of the condition Ready where that is not True, else empty.'),
  message: z.string().describe('Of the same condition, else empty.'),
  address: z.string().describe('Its first InternalIP, or empty.'),
  os: z.string().describe('As Debian GNU/Linux 12 (bookworm), or empty: the agent has never answered.'),
  kernel: z.string(),
  agentVersion: z.string(),
  labels: z.record(z.string(), z.string()),
  createdAt: Time,
})
export type HostRow = z.infer<typeof HostRow>

export const getHost = defineRoute({
  name: 'getHost',
  summary: 'One Host, whole',
  method: 'GET',
  path: '/api/hosts/:name',
  params: z.object({ name: Subdomain }),
  answer: Host,
})

export const HostHistory = z.object({
  requests: z
    .array(
      z.object({
        request: RequestRow,
        outcome: z
          .enum(['Succeeded', 'Failed', 'Unknown', 'Skipped', 'Pending', 'Untold'])
          .describe('Untold: the targets are too many to stand in the status of the request; open it to see.'),
        reason: z.string().describe('Why it failed, where the status tells, else empty.'),
      }),
    )
    .max(100),
})
export type HostHistory = z.infer<typeof HostHistory>

export const listHostHistory = defineRoute({
  name: 'listHostHistory',
  summary:
    'The last 100 requests that had this host as a target, the newest first, as far as whoever asks may see them',
  method: 'GET',
  path: '/api/hosts/:name/requests',
  params: z.object({ name: Subdomain }),
  answer: HostHistory,
})
