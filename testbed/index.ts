export { ControlPlane, type ControlPlaneOptions } from './control-plane/control-plane.ts'
export { podToken, type PodToken } from './control-plane/pod-token.ts'
export { eventually, DeadlineError } from './deadline.ts'
export { CertificateAuthority } from './pki.ts'
