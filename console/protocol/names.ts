import { z } from 'zod'

/** RFC 1123 label: names of namespaces and of accounts. */
export const Label = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)

/** RFC 1123 subdomain: names of hosts and of HostRequests. */
export const Subdomain = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/)

export const Time = z.iso.datetime()
