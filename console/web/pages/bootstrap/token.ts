/** The token in the fragment of the bootstrap link, `#token=…`; empty: there is none. A fragment is never sent to a server nor written into its log. */
export function tokenOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? ''
}
