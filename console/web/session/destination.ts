/**
 * Where to go after signing in: `wanted` where it is a path of this very site, else the overview. An address that a browser would read as another site's
 * (`//evil.example`, `/\evil.example`, `javascript:`) is none; neither is the sign-in page itself.
 */
export function destinationAfterSignIn(wanted: unknown, origin: string): string {
  if (typeof wanted !== 'string' || !wanted.startsWith('/')) return '/'
  const url = URL.parse(wanted, origin)
  if (url === null || url.origin !== origin) return '/'
  const path = `${url.pathname}${url.search}${url.hash}`
  // Parsing has taken out dot segments, tabs and line ends: what is left must still not be the beginning of another site's address.
  if (/^\/[/\\]/.test(path)) return '/'
  return /^\/(sign-in|bootstrap)(\/|\?|#|$)/.test(path) ? '/' : path
}
