/** What operator, installer and agent must agree on, so that a host gets its certificate. */

/** `spec.signerName` of the CertificateSigningRequests that the operator answers. */
export const agentSigner = 'keelson.dev/agent'

/** Where Keelson itself lives in a cluster. */
export const systemNamespace = 'keelson-system'

/** The service account, in the system namespace, whose requests need no person: see operator/signing/requester.ts. */
export const installerAccount = 'keelson-installer'

/** The ConfigMap in the system namespace whose key holds the roots, in PEM, that agents and operator prove themselves by. */
export const trustBundle = { name: 'keelson-agent-trust', key: 'ca.crt' } as const

/** DNS names in the operator's client certificates: what an agent lets a connection do depends on the name. */
export const operatorIdentities = { control: 'control.keelson.dev', request: 'request.keelson.dev' } as const
export type OperatorIdentity = keyof typeof operatorIdentities
