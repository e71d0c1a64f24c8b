import { productVersion } from '@keelson/api/product-version'
import { exitCodes, UsageError, type Command, type Print } from './command.ts'
import { commands } from './commands.ts'

export type Output = { readonly out: Print; readonly err: Print }

/** Runs the sub-command that the arguments name. Whatever goes wrong is one sentence with its code on stderr. @returns the exit code */
export async function run(args: readonly string[], { out, err }: Output): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined) {
    err(help())
    return exitCodes.usage
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    out(help())
    return exitCodes.done
  }
  if (name === '--version') {
    out(`keelson ${productVersion}`)
    return exitCodes.done
  }
  const command = commands.find((each) => each.name === name)
  if (command === undefined) {
    err(`keelson: there is no command ${JSON.stringify(name)}; keelson --help names them all (Usage)`)
    return exitCodes.usage
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    out(`${usage(command)}\n\n${command.summary}`)
    return exitCodes.done
  }
  try {
    await command.run(rest, out)
    // A program says by itself how it ended.
    return Number(process.exitCode ?? exitCodes.done)
  } catch (error) {
    err(`keelson ${name}: ${sentence(error)} (${codeOf(error)})`)
    if (error instanceof UsageError) err(usage(command))
    return exitCodeOf(error)
  }
}

function usage({ name, usage: rest }: Command): string {
  return `usage: keelson ${name} ${rest}`
}

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'usage: keelson COMMAND [ARGUMENT…]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'keelson COMMAND --help shows the arguments of a command, keelson --version the version of all of them.',
    '',
    'exit codes: 0 done, 1 failed, 2 the command line is wrong, 3 the request was denied, 4 no answer in time',
  ].join('\n')
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'Unforeseen'
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  const code = codeOf(error)
  if (code === 'RequestDenied' || code === 'RequestFailed') return exitCodes.denied
  return code === 'NotSignedInTime' ? exitCodes.timedOut : exitCodes.failed
}
