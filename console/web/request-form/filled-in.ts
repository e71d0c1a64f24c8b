import type { HostRequestStatus } from '@keelson/api'

type ExactRequest = NonNullable<HostRequestStatus['dryRun']>['request']

/**
 * The request of a dry run as one host gets it. Only where the operator puts a placeholder: the host of the URL, the uid in the key of the delivery. What
 * stands elsewhere was written so by the author.
 */
export function filledIn(
  request: ExactRequest,
  { host, uid }: { readonly host: string; readonly uid: string | undefined },
): ExactRequest {
  return {
    ...request,
    url: request.url.replace(/^(https?:\/\/)\{host\}/, (_, scheme: string) => `${scheme}${host}`),
    headers: request.headers.map((header) =>
      uid !== undefined && header.startsWith('idempotency-key: ') ? header.replace(/\{uid\}$/, () => uid) : header,
    ),
  }
}
