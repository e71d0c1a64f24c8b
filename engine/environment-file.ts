/** In double quotes a backslash is itself unless it stands before one of these. */
const escapable = '"$`\\'

/**
 * Reads a file of `NAME=value` lines with shell quoting, as os-release(5) and machine-info(5) define it: comments with `#`, values bare,
 * in single or in double quotes, no expansion. Lines that are none of this are passed by; of two with one name the later wins.
 */
export function parseEnvironmentFile(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.split('\n')) {
    const assignment = /^\s*([A-Za-z_][A-Za-z0-9_]*)=([^]*)$/.exec(line)
    const value = assignment?.[2] === undefined ? undefined : unquote(assignment[2].trim())
    if (assignment?.[1] !== undefined && value !== undefined) variables.set(assignment[1], value)
  }
  return variables
}

/** One shell word; `undefined` where a quote is left open. */
function unquote(word: string): string | undefined {
  let value = ''
  let quote: '"' | "'" | undefined
  for (let index = 0; index < word.length; index++) {
    const character = word.charAt(index)
    if (character === quote) quote = undefined
    else if (quote === undefined && (character === '"' || character === "'")) quote = character
    else if (character === '\\' && quote !== "'") {
      const next = word.charAt(index + 1)
      if (quote === '"' && !escapable.includes(next)) value += character
      else {
        value += next
        index++
      }
    } else value += character
  }
  return quote === undefined ? value : undefined
}
