import { homedir } from 'node:os'
import { join } from 'node:path'
import { agentSigner } from '@keelson/api'
import { describeRequest, requestName, type RequestDescription } from '@keelson/install'
import { kinds, KubeClient, type CertificateSigningRequest } from '@keelson/kube'
import { parse } from './arguments.ts'
import { UsageError, type Print } from './command.ts'

/** Approving it would be wrong, or of no use. */
class ApprovalError extends Error {
  readonly code: string

  constructor(code: 'NotForKeelson' | 'AlreadyDecided' | 'NameMismatch', message: string) {
    super(message)
    this.name = 'ApprovalError'
    this.code = code
  }
}

/**
 * `keelson approve`: what `kubectl certificate approve` does, and before that it makes sure that the request is for the host and the key that its
 * name was made of. So whoever approves the name that he read on the host approves what the host asked for.
 */
export async function approve(args: readonly string[], out: Print): Promise<void> {
  const { values, positionals } = parse(args, {
    kubeconfig: { type: 'string', default: process.env['KUBECONFIG'] ?? join(homedir(), '.kube/config') },
  })
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new UsageError('give the one request that is to be approved')
  await using client = await KubeClient.fromKubeconfig(values.kubeconfig, { fieldManager: 'keelson-approve' })
  const request = await client.get(kinds.CertificateSigningRequest, { name })
  const { host, keyFingerprint } = examine(request)
  const message = 'approved by a person, with keelson approve'
  const condition = { type: 'Approved', status: 'True', reason: 'KeelsonApprove', message } as const
  const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] }
  await client.update(kinds.CertificateSigningRequest, { ...request, status }, { subresource: 'approval' })
  out(`approved: the host ${host} with the key ${keyFingerprint}, asked for by ${request.spec.username}`)
}

function examine({ metadata, spec, status }: CertificateSigningRequest): RequestDescription {
  const { name } = metadata
  if (spec.signerName !== agentSigner)
    throw new ApprovalError('NotForKeelson', `${name} is for the signer ${spec.signerName}, which is not Keelson's`)
  const decided = status?.conditions?.[0]?.type ?? (status?.certificate === undefined ? undefined : 'signed')
  if (decided !== undefined) throw new ApprovalError('AlreadyDecided', `${name} is ${decided.toLowerCase()} already`)
  const found = describeRequest(Buffer.from(spec.request, 'base64').toString('latin1'))
  if (found === undefined || requestName(found.host, found.keyFingerprint) !== name)
    throw new ApprovalError(
      'NameMismatch',
      `${name} was not made by keelson join: its name belongs to another host or key, so nothing tells which host it is from`,
    )
  return found
}
