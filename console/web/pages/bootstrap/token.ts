/** The token in the fragment of the bootstrap link, `/bootstrap#TOKEN`; empty: there is none. A fragment is never sent to a server nor written into its log. */
export function tokenOf(hash: string): string {
  return /^#([A-Za-z0-9_-]{1,128})$/.exec(hash)?.[1] ?? ''
}
