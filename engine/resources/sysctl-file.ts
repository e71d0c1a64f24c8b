import { parseSysctlKey } from './sysctl-key.ts'

/** Sorts after what distributions and administrators ship (99-sysctl.conf among them): the later file wins at boot. */
export const sysctlFile = '/etc/sysctl.d/99-zz-keelson.conf'

const header = [
  '# Keelson keeps one line here for each kernel parameter that it was asked to set, sorted by key.\n',
  '# It changes those lines only; all others stay as they are.\n',
].join('')

/** `name` is undefined where the line is none of ours to judge: comment, empty, glob pattern, malformed. */
type Line = { readonly text: string; readonly name: string | undefined; readonly value: string }

/** The value that each key has from this file at boot: of two lines with one key the later wins. */
export function persistedValues(content: Buffer): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const { name, value } of parse(content)) if (name !== undefined) values.set(name, value)
  return values
}

/**
 * The file with exactly one line for each of `values` (canonical key name → value) and every other line byte for byte as it was. A new
 * line comes after the nearest smaller key, so a sorted file stays sorted; comments stay above the line that they describe.
 */
export function mergeSysctlLines(content: Buffer, values: ReadonlyMap<string, string>): Buffer {
  const lines = content.length === 0 ? [...parse(Buffer.from(header))] : [...parse(content)]
  for (const [name, value] of [...values].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const present = lines.filter((line) => line.name === name)
    if (present.length === 1 && present[0]?.value === value) continue
    const wanted: Line = { text: `${name} = ${bytes(value)}\n`, name, value }
    const at = present.length > 0 ? lines.findIndex((line) => line.name === name) : insertionPoint(lines, name)
    lines.splice(at, present.length > 0 ? 1 : 0, wanted)
    const previous = lines[at - 1]
    if (previous && !previous.text.endsWith('\n')) lines[at - 1] = { ...previous, text: `${previous.text}\n` }
    for (let index = lines.length - 1; index > at; index--) if (lines[index]?.name === name) lines.splice(index, 1)
  }
  return Buffer.from(lines.map((line) => line.text).join(''), 'latin1')
}

function insertionPoint(lines: readonly Line[], name: string): number {
  const smaller = lines.findLastIndex((line) => line.name !== undefined && line.name < name)
  if (smaller !== -1) return smaller + 1
  return lines
    .slice(0, 2)
    .map((line) => line.text)
    .join('') === header
    ? 2
    : 0
}

/** The lines as Latin-1, one character a byte, so that what is not UTF-8 survives. */
function parse(content: Buffer): readonly Line[] {
  return (content.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []).map(parseLine)
}

function parseLine(text: string): Line {
  const trimmed = trim(text)
  const equals = trimmed.indexOf('=')
  if (equals === -1 || trimmed.startsWith('#') || trimmed.startsWith(';')) return { text, name: undefined, value: '' }
  // A leading hyphen (do not fail at boot) is not part of the key.
  const name = parseSysctlKey(trim(trimmed.slice(0, equals)).replace(/^-/, ''))?.name
  return { text, name, value: Buffer.from(trim(trimmed.slice(equals + 1)), 'latin1').toString() }
}

function bytes(value: string): string {
  return Buffer.from(value).toString('latin1')
}

/** What systemd takes for white space; String.trim would take 0xA0 too, which in Latin-1 may be half of a letter. */
function trim(text: string): string {
  return text.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}
