import { createHash } from 'node:crypto'
import { maxValueLength, refuseParameters, type HostRequest, type HostRequestSpec } from '@keelson/api'
import { ForbiddenError, kinds, NotFoundError, type KubeClient, type Secret } from '@keelson/kube'
import { isAgent } from '../delivery/endpoint.ts'
import type { Parameter } from '../delivery/message.ts'
import { schemeOf } from '../requests/sender.ts'
import type { Refusal } from '../requests/verdict.ts'
import { redaction, type Redact } from './redaction.ts'
import { SecretValue } from './secret-value.ts'

type Http = HostRequestSpec['http']
type SecretKeyRef = NonNullable<Http['parameters'][number]['valueFrom']>['secretKeyRef']

/** The parameters of a request as they are sent. */
export type RequestParameters = {
  readonly parameters: readonly Parameter[]
  /** Absent where there are no secrets among them. */
  readonly secrets?: {
    readonly redact: Redact
    /** Tells whether any Secret has been written since, and nothing of what is in it. */
    readonly digest: string
  }
}

/** Why nothing may be sent with what the Secrets hold, or do not hold. */
export class SecretError extends Error implements Refusal {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.name = 'SecretError'
    this.reason = reason
  }

  get msg(): string {
    return this.message
  }
}

/**
 * The parameters with the values that come from Secrets, each Secret read once.
 *
 * @throws SecretError `SpecRefused`, `SecretNotFound`, `SecretForbidden`, `SecretKeyNotFound`, `ValueRefused`: names the Secret and the key, and says nothing of the value
 */
export async function readParameters(
  client: KubeClient,
  { metadata }: HostRequest,
  http: Http,
  signal: AbortSignal,
): Promise<RequestParameters> {
  const names = secretNames(http)
  if (names.length === 0) return { parameters: http.parameters.map(({ key, value = '' }) => ({ key, value })) }
  // Asked where secrets are taken out, whatever was asked before: to nobody else may they go.
  if (!isAgent({ port: http.port, scheme: schemeOf(http) }))
    throw new SecretError('SpecRefused', 'values from Secrets go to agents alone, by mutual TLS')
  const { namespace = '' } = metadata
  const found = await Promise.all(names.map((name) => readSecret(client, { namespace, name }, signal)))
  const secrets = new Map(found.map((secret) => [secret.metadata.name, secret]))
  const parameters = http.parameters.map(({ key, value = '', valueFrom }): Parameter => {
    if (valueFrom === undefined) return { key, value }
    return { key, value: secretValue(secrets.get(valueFrom.secretKeyRef.name)!, key, valueFrom.secretKeyRef, http) }
  })
  const values = parameters.map(({ value }) => value).filter((value) => value instanceof SecretValue)
  return { parameters, secrets: { redact: redaction(values), digest: digestOf(found) } }
}

/** Names of the Secrets that parameters come from, in order. */
export function secretNames({ parameters }: Http): string[] {
  return [
    ...new Set(parameters.flatMap(({ valueFrom }) => (valueFrom ? [valueFrom.secretKeyRef.name] : []))),
  ].toSorted()
}

async function readSecret(
  client: KubeClient,
  name: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Secret> {
  try {
    return await client.get(kinds.Secret, name, signal)
  } catch (error) {
    if (error instanceof NotFoundError)
      throw new SecretError('SecretNotFound', `there is no Secret ${name.name} in the namespace ${name.namespace}`)
    if (error instanceof ForbiddenError)
      throw new SecretError(
        'SecretForbidden',
        `the operator may not read the Secret ${name.name} in the namespace ${name.namespace}: bind the ClusterRole keelson-request-secrets`,
      )
    throw error
  }
}

function secretValue(secret: Secret, parameter: string, { name, key }: SecretKeyRef, { check }: Http): SecretValue {
  const refuse = (why: string) =>
    new SecretError(
      'ValueRefused',
      `the value of parameter "${parameter}" (Secret ${name}, key ${key}) is refused: ${why}`,
    )
  const data = Object.hasOwn(secret.data ?? {}, key) ? secret.data![key] : undefined
  if (data === undefined) throw new SecretError('SecretKeyNotFound', `the Secret ${name} has no key ${key}`)
  const text = textOf(Buffer.from(data, 'base64'))
  if (text === undefined) throw refuse('it is not text in UTF-8')
  if (Array.from(text).length > maxValueLength) throw refuse(`it is longer than ${maxValueLength} characters`)
  // Which character it is would tell something of the value.
  if (refuseParameters([{ key: parameter, value: text }], 'Typed').length > 0)
    throw refuse('it has a control character, such as a newline at its end')
  if (refuseParameters([{ key: parameter, value: text }], check).length > 0)
    throw refuse(`with check: ${check} a value has no leading hyphen and nothing that means something to a shell`)
  return new SecretValue(text)
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function digestOf(secrets: readonly Secret[]): string {
  const versions = secrets.map(({ metadata }) => [metadata.name, metadata.uid, metadata.resourceVersion])
  return createHash('sha256').update(JSON.stringify(versions)).digest('base64url').slice(0, 22)
}
