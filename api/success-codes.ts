/** A status code from 100 to 599, or a class of a hundred of them: `204`, `2xx`. */
export const successCodePattern = /^[1-5](xx|[0-9][0-9])$/

/**
 * Turns `spec.http.successCodes` into the question that is asked of each answer. An entry that is neither code nor class
 * matches nothing, so a mistake never counts a failure as a success.
 */
export function parseSuccessCodes(codes: readonly string[]): (statusCode: number) => boolean {
  const wanted = new Set(codes)
  return (statusCode) => wanted.has(String(statusCode)) || wanted.has(`${Math.floor(statusCode / 100)}xx`)
}
