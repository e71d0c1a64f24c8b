import { z } from 'zod'

/**
 * The part of `metav1.ObjectMeta` that Keelson reads. The API server has its own schema for it, so none of this is in a CRD.
 */
export const ObjectMeta = z.object({
  name: z.string(),
  namespace: z.string().exactOptional(),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  /** Counts changes of the spec. */
  generation: z.int().exactOptional(),
  creationTimestamp: z.string().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
  annotations: z.record(z.string(), z.string()).exactOptional(),
})
export type ObjectMeta = z.infer<typeof ObjectMeta>
