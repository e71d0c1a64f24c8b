/** The first administrator's session, made by the bootstrap link as a browser makes it: the header Cookie of a person who is signed in. */
export async function signInFirst(bootstrapLink: string): Promise<{ readonly name: string; readonly value: string }> {
  const { origin, hash } = new URL(bootstrapLink)
  const before = await fetch(new URL('/api/session', origin), { headers: { 'sec-fetch-site': 'same-origin' } })
  const { csrfToken } = (await before.json()) as { readonly csrfToken: string }
  const cookies = before.headers.getSetCookie().map(pairOf)
  const answer = await fetch(new URL('/api/bootstrap', origin), {
    method: 'POST',
    headers: {
      origin,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
      'x-csrf-token': csrfToken,
      cookie: cookies.join('; '),
    },
    body: JSON.stringify({ token: hash.slice(1), displayName: 'Bench', password: 'measured by a bench' }),
  })
  const [pair] = answer.headers.getSetCookie().map(pairOf)
  if (!answer.ok || pair === undefined) throw new Error(`bootstrap: ${answer.status} ${await answer.text()}`)
  const [name, value] = pair.split('=', 2) as [string, string]
  return { name, value }
}

function pairOf(setCookie: string): string {
  return setCookie.split(';', 1)[0]!
}
