import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { runningDemo } from './state.ts'

/** `make shell HOST=… [CMD='…']`: enters a host of the running demo. Argument: the host's name. The command: SHELL_COMMAND. */
const [host = ''] = process.argv.slice(2)
const demo = await runningDemo()
if (demo === undefined || host === '') {
  console.error(
    host === '' ? 'Say which host: make shell HOST=worker-1' : 'No demo is up in this tree: start one with make demo.',
  )
  process.exit(2)
}
const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup']
const argv = [
  `--target=${demo.firstProcess}`,
  ...namespaces,
  '--',
  process.execPath,
  join(import.meta.dirname, 'enter.ts'),
  host,
]
const child = spawn('nsenter', argv, { stdio: 'inherit' })
// Ctrl-C belongs to the program in the host.
process.on('SIGINT', () => {})
const [exitCode] = (await once(child, 'exit')) as [number | null]
process.exit(exitCode ?? 137)
