import { readFile } from 'node:fs/promises'

/** Of a service account's token that is bound to a Pod (KEP-4193): the Node that the kubelet had when it asked for it. */
type Claims = { readonly 'kubernetes.io'?: { readonly node?: { readonly uid?: unknown } } }

/**
 * The uid of the Node that a Pod's token names; undefined where it names none, or cannot be read. Nobody has verified it: it may give reason to ask the
 * API server anew, and no more.
 */
export async function nodeUidOfToken(file: string): Promise<string | undefined> {
  try {
    const [, payload = ''] = (await readFile(file, 'utf8')).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims
    const uid = claims['kubernetes.io']?.node?.uid
    return typeof uid === 'string' ? uid : undefined
  } catch {
    return undefined
  }
}
