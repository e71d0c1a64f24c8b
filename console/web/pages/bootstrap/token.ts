/** The token in the fragment of the bootstrap link; empty: there is none. A fragment is never sent to a server nor written into its log. */
export function tokenOf(hash: string): string {
  return /^#([A-Za-z0-9_-]+)$/.exec(hash)?.[1] ?? ''
}
