/** What the query of an address holds: a key that is there several times has all of its values. Pages narrow it with their own validateSearch. */
export type Search = Readonly<Record<string, string | readonly string[]>>

/** Plain queries, `?state=Offline&state=NotReady`, which people can read, write and send. */
export function parseSearch(text: string): Search {
  const search: Record<string, string | readonly string[]> = Object.create(null) as Record<string, string>
  const parameters = new URLSearchParams(text)
  for (const key of new Set(parameters.keys())) {
    const values = parameters.getAll(key)
    search[key] = values.length === 1 ? values[0]! : values
  }
  return { ...search }
}

export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    for (const each of listOf(value)) parameters.append(key, each)
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

/** The values of a key, none of them twice; the order is kept. What is neither text nor a number is none. */
export function listOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = values.map((each) => (typeof each === 'number' ? String(each) : each))
  return [...new Set(texts)].filter((each): each is string => typeof each === 'string' && each !== '')
}

export function textOf(value: unknown): string {
  return listOf(value)[0] ?? ''
}

/** The value where it is one of these. */
export function oneOf<Value extends string>(value: unknown, allowed: readonly Value[]): Value | undefined {
  return allowed.find((each) => each === textOf(value))
}

/** Those of the values that are among these. */
export function someOf<Value extends string>(value: unknown, allowed: readonly Value[]): readonly Value[] {
  return listOf(value).filter((each): each is Value => (allowed as readonly string[]).includes(each))
}
