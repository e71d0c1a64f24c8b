import { kinds, type KubeClient, type Secret } from '@keelson/kube'
import {
  accountLabel,
  longLivedType,
  markerType,
  ofAccountAnnotation,
  usersNamespace,
} from '../../../protocol/account-names.ts'

/** Secrets that tokens of the account live and die with, also those that others made; by name. They hold secrets. */
export async function tokenSecretsOf(client: KubeClient, account: string, signal: AbortSignal): Promise<Secret[]> {
  const selections = [
    { fieldSelector: `type=${markerType}`, labelSelector: `${accountLabel}=${account}` },
    { fieldSelector: `type=${longLivedType}` },
  ]
  const lists = await Promise.all(
    selections.map((selection) => client.list(kinds.Secret, { namespace: usersNamespace, ...selection }, signal)),
  )
  return lists
    .flatMap(({ items }) => items)
    .filter((secret) => isOf(secret, account))
    .toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1))
}

/** Whether a token of that account lives and dies with the Secret. */
export function isOf({ type, metadata: { labels, annotations } }: Secret, account: string): boolean {
  return type === longLivedType
    ? annotations?.[ofAccountAnnotation] === account
    : type === markerType && labels?.[accountLabel] === account
}
