import type { Browser, BrowserContextOptions } from 'playwright-core'
import { Visitor } from '../../browser/browser.ts'
import { quantile } from '../result.ts'

export type PageFigures = {
  /** From the beginning of the navigation until all rows are there and the list is drawn, in ms. */
  readonly interactiveMs: number
  /** Time between two frames while the list is scrolled, 95th percentile, in ms. */
  readonly frameMs: number
}

const scrollSeconds = 8

/** What the page has and this side knows no types of. */
type InPage = {
  readonly document: { querySelector(selector: string): PageElement | null }
  readonly requestAnimationFrame: (callback: (now: number) => void) => void
  benchFrames: number[]
}
type PageElement = {
  getAttribute(name: string): string | null
  querySelectorAll(selector: string): { readonly length: number }
}

/** Runs in the page: when the list held all rows and had drawn a screen of them, in ms since the navigation; 0: it has not yet. */
function drawnAt(hosts: number): number {
  const { document } = globalThis as unknown as InPage
  const grid = document.querySelector('[role=grid]')
  const drawn = grid?.querySelectorAll('[role=row]').length ?? 0
  return drawn > 10 && Number(grid?.getAttribute('aria-rowcount')) > hosts ? performance.now() : 0
}

/** Runs in the page. */
function recordFrames(): void {
  const page = globalThis as unknown as InPage
  page.benchFrames = []
  let last = performance.now()
  const next = (now: number) => {
    page.benchFrames.push(now - last)
    last = now
    page.requestAnimationFrame(next)
  }
  page.requestAnimationFrame(next)
}

/** Opens the list of hosts as a person does, waits until it is whole, and scrolls through it. */
export async function measureHostsPage(
  browser: Browser,
  url: string,
  hosts: number,
  cookies: NonNullable<Exclude<BrowserContextOptions['storageState'], string>>['cookies'] = [],
): Promise<PageFigures> {
  await using visitor = await Visitor.of(browser, {})
  const { page } = visitor
  await page.context().addCookies(cookies)
  await page.goto(new URL('/hosts', url).href)
  const ready = await page.waitForFunction(drawnAt, hosts, { polling: 'raf', timeout: 60_000 })
  const interactiveMs = await ready.jsonValue()
  await page.getByRole('grid').hover()
  await page.evaluate(recordFrames)
  const end = performance.now() + scrollSeconds * 1_000
  while (performance.now() < end) {
    await page.mouse.wheel(0, 240)
    await page.waitForTimeout(16)
  }
  const frames = await page.evaluate(() => (globalThis as unknown as InPage).benchFrames)
  return { interactiveMs, frameMs: quantile(frames.slice(1), 0.95) }
}
