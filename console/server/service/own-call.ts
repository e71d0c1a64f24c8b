import { ConnectionError, ForbiddenError, KubeError, UnauthorizedError } from '@keelson/kube'

/**
 * What the console asks on its own behalf. A refusal of that says nothing about the person who waits for it, so it is told as what it is: a cluster that
 * gives no usable answer.
 *
 * @throws ConnectionError `ConsoleRefused`, and whatever else `call` throws.
 */
export async function ownCall<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof ForbiddenError || error instanceof UnauthorizedError)) throw error
    throw new ConnectionError({
      code: 'ConsoleRefused',
      message: `the console itself may not ${what}: install the chart of this release again, and look at its log`,
      reason: error.reason,
      retryable: true,
      cause: error,
    })
  }
}

/** Short text of a failure for logs; errors of kube/ never hold credentials. */
export function failureText(error: unknown): string {
  if (error instanceof KubeError) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.message : 'unknown'
}
