/** What a person could type in place of a click. */
export interface KubectlCommand {
  /** From `kubectl` on. */
  readonly argv: readonly string[]
  /** What it reads from its standard input. */
  readonly input?: string
}

/** Characters that no shell takes for its own where they stand. zsh looks up a program where a word begins with `=`. */
const plain = /^[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,=-]*$/

/** One word of a POSIX shell that means exactly `text`: in single quotes nothing has a meaning but the quote itself. */
export function quoted(text: string): string {
  return plain.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** The command as it is pasted into a shell. Input comes as a here-document, of which the shell changes nothing. */
export function commandText({ argv, input }: KubectlCommand): string {
  const line = argv.map(quoted).join(' ')
  if (input === undefined) return line
  const lines = input.replace(/\n$/, '').split('\n')
  const end = delimiter(lines)
  return [`${line} <<'${end}'`, ...lines, end].join('\n')
}

/** A line that is not in the text, so that it ends where it ends. */
function delimiter(lines: readonly string[]): string {
  let end = 'EOF'
  while (lines.includes(end)) end += '_'
  return end
}
