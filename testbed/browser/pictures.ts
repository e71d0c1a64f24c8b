import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pixelmatch from 'pixelmatch'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'

const tree = resolve(import.meta.dirname, '../..')
/** What a test run leaves to look at; not in git. */
const artefacts = join(tree, '.artefacts/console')
/** Pictures of the documents; in git. */
const pictures = join(tree, 'docs/pictures')

/** A part of the picture: less is the antialiasing of a letter, or the time of day. */
const tolerated = 0.01

/** Keeps how the page looks now among the artefacts of the run. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(artefacts, { recursive: true })
  await page.screenshot({ path: join(artefacts, `${name}.png`), animations: 'disabled' })
}

/** Puts how the page looks now into docs/pictures, if it differs from what is there by more than a hundredth. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true })
  const path = join(pictures, `${name}.png`)
  const taken = await page.screenshot({ animations: 'disabled' })
  const before = await readFile(path).catch(() => undefined)
  if (before === undefined || differenceOf(PNG.sync.read(before), PNG.sync.read(taken)) > tolerated)
    await writeFile(path, taken)
}

/** The part of the pixels that differ: 0 to 1. */
export function differenceOf(one: PNG, other: PNG): number {
  const { width, height } = one
  if (other.width !== width || other.height !== height) return 1
  return pixelmatch(one.data, other.data, undefined, width, height, { threshold: 0.1 }) / (width * height)
}
