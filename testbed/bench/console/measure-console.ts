import { join } from 'node:path'
import { launchBrowser } from '../../browser/browser.ts'
import { report } from '../../progress.ts'
import { ConsoleProcess } from '../../world/console-process.ts'
import type { BenchWorld } from '../bench-world.ts'
import { median, result, type Result } from '../result.ts'
import { peakMemory, residentMemory, Subprocess } from '../subprocess.ts'
import type { FedPage } from './fed-page.ts'
import { measureHostsPage, type PageFigures } from './hosts-page.ts'
import { signInFirst } from './signed-in.ts'
import { Updates } from './updates.ts'

const peer = 'same page, fed from memory'
const updatesPerSecond = 200
const port = 7118
/** As docs/console.md says to start it: it holds little that is new and much that stays. */
const nodeFlags = ['--max-semi-space-size=1', '--optimize-for-size']

export type ConsoleMeasureOptions = {
  /** Names of the Hosts that are there; whoever wrote them must have stopped. */
  readonly hosts: readonly string[]
  /** Folder of the built pages. */
  readonly pages: string
  /** How often the console's page and the fed one are measured, in turn. */
  readonly pairs: number
}

/** The list of hosts in a browser, while the Hosts change, beside the same page with the same changes out of the memory of a small server. */
export async function measureConsole(
  world: BenchWorld,
  { hosts, pages, pairs }: ConsoleMeasureOptions,
): Promise<Result[]> {
  await using console = await ConsoleProcess.start(world.cluster, {
    pages,
    port,
    argv: [process.execPath, ...nodeFlags, world.executable],
  })
  const { name, value } = await signInFirst(await console.bootstrapLink())
  const cookie = { name, value, domain: '127.0.0.1', path: '/', httpOnly: true, secure: false, expires: -1 } as const
  await using fed = new Subprocess<FedPage>(join(import.meta.dirname, 'fed-page.ts'), [
    pages,
    `${hosts.length}`,
    `${updatesPerSecond}`,
  ])
  const fedUrl = await fed.ask('start')
  await using updates = new Updates(world.client, hosts, updatesPerSecond)
  const browser = await launchBrowser()
  try {
    const ours: PageFigures[] = []
    const theirs: PageFigures[] = []
    let loaded = 0
    const measureOurs = async () => {
      ours.push(await measureHostsPage(browser, console.url, hosts.length, [{ ...cookie, sameSite: 'Lax' }]))
      loaded = Math.max(loaded, await residentMemory(console.pid))
    }
    const measureTheirs = async () => {
      theirs.push(await measureHostsPage(browser, fedUrl, hosts.length))
    }
    for (let pair = 0; pair < pairs; pair += 1) {
      for (const side of pair % 2 === 0 ? [measureTheirs, measureOurs] : [measureOurs, measureTheirs]) await side()
      const told = (figures: PageFigures) =>
        `interactive after ${Math.round(figures.interactiveMs)} ms, frames p95 ${figures.frameMs.toFixed(1)} ms`
      report(
        'bench',
        `console: ${told(ours.at(-1)!)}; fed: ${told(theirs.at(-1)!)}; ${updates.rate.toFixed(0)} updates/s`,
      )
    }
    const of = (all: readonly PageFigures[], figure: keyof PageFigures) => median(all.map((one) => one[figure]))
    const ratio = of(ours, 'frameMs') / of(theirs, 'frameMs')
    return [
      result(`console, ${hosts.length} hosts: list interactive`, of(ours, 'interactiveMs'), 'ms'),
      result(`${peer}: list interactive`, of(theirs, 'interactiveMs'), 'ms'),
      result('console, scrolling: frame p95', of(ours, 'frameMs'), 'ms'),
      result(`${peer}, scrolling: frame p95`, of(theirs, 'frameMs'), 'ms'),
      result('console, scrolling', ratio, '×', { limit: 2, peer }),
      result('console: updates of Hosts during it', updates.rate, '/s'),
      result('console: memory of the server after load', loaded, 'MiB'),
      result('console: peak memory of the server', await peakMemory(console.pid), 'MiB', { limit: 150 }),
    ]
  } finally {
    await browser.close()
  }
}
