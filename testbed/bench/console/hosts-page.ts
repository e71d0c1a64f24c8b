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

/** In the page, which has the DOM that this side knows no types of. */
const recordFrames = `
  var benchFrames = []
  let last = performance.now()
  const next = (now) => {
    benchFrames.push(now - last)
    last = now
    requestAnimationFrame(next)
  }
  requestAnimationFrame(next)
`

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
  const whole = `(() => {
    const grid = document.querySelector('[role=grid]')
    const seen = grid?.querySelectorAll('[role=row]').length ?? 0
    return seen > 10 && Number(grid.getAttribute('aria-rowcount')) > ${hosts} && performance.now()
  })()`
  const ready = await page.waitForFunction<number>(whole, undefined, { polling: 'raf', timeout: 60_000 })
  const interactiveMs = await ready.jsonValue()
  await page.getByRole('grid').hover()
  await page.evaluate(recordFrames)
  const end = performance.now() + scrollSeconds * 1_000
  while (performance.now() < end) {
    await page.mouse.wheel(0, 240)
    await page.waitForTimeout(16)
  }
  const frames = await page.evaluate<readonly number[]>('benchFrames')
  return { interactiveMs, frameMs: quantile(frames.slice(1), 0.95) }
}
