import { spawn, spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from '../deadline.ts'
import { joinListener } from './listener.ts'
import { look } from './view.fixture.ts'

/** Runs inside the capsules of the tests. The first argument says what to do, the others are its own. */
const [, , command, ...args] = process.argv
const commands: Readonly<Record<string, () => Promise<void> | void>> = {
  view: async () => tell({ view: await look(args) }),
  exit: () => process.exit(Number(args[0])),
  kill: () => void process.kill(process.pid, 'SIGKILL'),
  serve,
  orphans: async () => tell({ orphans: await leaveOrphans() }),
  stay: () => {
    spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref()
    setInterval(() => {}, 60_000)
    tell({ up: true })
  },
}
await commands[command ?? '']?.()

function tell(message: unknown): void {
  process.send?.(message)
}

/** A web server that sends back what it gets, behind two of the starter's listeners; the second leads nowhere. */
function serve(): void {
  const server = createServer((incoming, response) => void incoming.pipe(response))
  server.listen(0, '127.0.0.1', () => {
    const { address, port } = server.address() as AddressInfo
    joinListener('web', () => ({ host: address, port }))
    joinListener('nowhere', () => undefined)
    tell('inside')
    tell({ up: true })
  })
}

/** Processes whose parent dies before them, so that they fall to the first process; gives back those that nobody reaps. */
async function leaveOrphans(): Promise<string[]> {
  const parent = `
    for (let n = 0; n < 5; n++) require('child_process').spawn('sleep', ['0.1'], { detached: true })
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['-e', parent])
  const orphans = async () => {
    const found: string[] = []
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      if (stat.includes('(sleep)')) found.push(stat.trim())
    }
    return found
  }
  await eventually('the orphans are reaped', async () => (await orphans()).length === 0, 5_000).catch(() => {})
  return orphans()
}
