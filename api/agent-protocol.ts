import { z } from 'zod'

/** What `GET /v1/facts` answers, and `Host.status.facts` holds. */
export const Facts = z.object({
  protocol: z.literal(1).describe('Version of the protocol between operator and agent that the agent speaks.'),
  agentVersion: z.string().max(64).describe('Version of the agent, semantic versioning without a leading v.'),
  hostname: z.string().max(253).describe('Host name as the kernel knows it (uname -n).'),
  kernelVersion: z.string().max(128).describe('Release of the running kernel (uname -r).'),
  bootID: z
    .string()
    .max(64)
    .describe('Identifier of the present boot (/proc/sys/kernel/random/boot_id): another one after each reboot.'),
  architecture: z.string().max(32).describe('Machine hardware name (uname -m), as x86_64.'),
  os: z
    .object({
      id: z.string().max(64).describe('ID in os-release, as debian.'),
      versionID: z.string().max(64).describe('VERSION_ID in os-release; empty where a rolling distribution has none.'),
      name: z.string().max(256).describe('PRETTY_NAME in os-release.'),
    })
    .describe('The operating system, from its os-release file.'),
  types: z
    .record(
      z
        .string()
        .max(63)
        .regex(/^[a-z][A-Za-z0-9]*$/),
      z.literal(1).describe('Version of the type.'),
    )
    .meta({
      description: 'Resource types that the agent has, with the version of each; at most 64.',
      maxProperties: 64,
    }),
})
export type Facts = z.infer<typeof Facts>

/** Body of a successful POST: what was read before the act and after it, field by field. */
export const ChangeResult = z.object({
  /** False: everything was as wanted already and nothing was done. */
  changed: z.boolean(),
  before: z.record(z.string(), z.string()),
  after: z.record(z.string(), z.string()),
})
export type ChangeResult = z.infer<typeof ChangeResult>

/** Body of every answer of an agent that is not a success. */
export const AgentError = z.object({
  /** For programs: one CamelCase word. */
  code: z.string(),
  /** For people; never repeats a parameter's value. */
  message: z.string(),
  /** The parameter that is at fault. */
  field: z.string().optional(),
})
export type AgentError = z.infer<typeof AgentError>
