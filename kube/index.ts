export { abortable } from './abortable.ts'
export { KubeClient } from './client.ts'
export type {
  ApplyOptions,
  ClientDefaults,
  DeleteOptions,
  KubeClientOptions,
  ListOptions,
  ObjectList,
  ObjectPage,
  PatchOptions,
  Selection,
  Token,
  TokenOptions,
  UpdateOptions,
  WatchOptions,
  WriteOptions,
} from './client.ts'
export { systemClock, type Clock } from './clock.ts'
export type { ClientConfiguration, Credentials, TokenSource } from './configuration.ts'
export { Controller, TerminalError } from './controller.ts'
export type { ControllerCounters, ControllerOptions, ReconcileResult } from './controller.ts'
export {
  AlreadyExistsError,
  BadRequestError,
  ConflictError,
  ConnectionError,
  ExpiredError,
  ForbiddenError,
  InvalidError,
  KubeError,
  NotFoundError,
  ServerError,
  TooManyRequestsError,
  UnauthorizedError,
} from './errors.ts'
export { EventRecorder } from './events.ts'
export type { EventContent, EventRecorderOptions } from './events.ts'
export { loadInCluster } from './in-cluster.ts'
export { defineKind, kinds } from './kinds.ts'
export type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Kind,
  Lease,
  Node,
  NodeCondition,
  Pod,
  PolicyRule,
  ResourceAttributes,
  RoleBinding,
  RoleRef,
  Secret,
  ServiceAccount,
  Subject,
  SubjectAccessReview,
} from './kinds.ts'
export { loadKubeconfig } from './kubeconfig.ts'
export { runAsLeader } from './leader-election.ts'
export type { LeaderElectionOptions } from './leader-election.ts'
export { LeadershipLostError } from './leadership.ts'
export type { Leadership } from './leadership.ts'
export { metrics } from './metrics.ts'
export type { MetricDescription, MetricLabels, MetricName, MetricsSink } from './metrics.ts'
export { keyOf, nameOf } from './object.ts'
export type {
  Condition,
  Draft,
  KubernetesObject,
  ListMeta,
  ObjectMeta,
  ObjectName,
  OwnerReference,
  Status,
  StatusCause,
} from './object.ts'
export { Reflector } from './reflector.ts'
export type { ReflectorCounters, ReflectorOptions } from './reflector.ts'
export type { Change, ReadonlyStore } from './store.ts'
export type { WatchEvent } from './watch-stream.ts'
export { WorkQueue } from './work-queue.ts'
export type { WorkQueueOptions } from './work-queue.ts'
