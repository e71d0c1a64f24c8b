import { startFedServer, type FedOptions } from '@keelson/console/fed-server'
import type { Browser } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { accessibilityFaults } from '../../browser/accessibility.ts'
import { launchBrowser, Visitor, type VisitorOptions } from '../../browser/browser.ts'
import { keepScreenshot } from '../../browser/pictures.ts'
import { consolePages } from '../../world/console-pages.ts'

/** Every page, in each state that it can be in, in both languages and themes. The pages are the console's; what they are told comes from memory. */
const pages = {
  overview: '/',
  hosts: '/hosts',
  tiles: '/hosts?view=tiles',
  host: '/hosts/worker-0001',
  requests: '/requests',
  compose: '/requests/new',
  run: '/requests/default/vm-swappiness',
  'failed-run': '/requests/default/set-hostname-on-new-racks',
  'paused-run': '/requests/default/restart-containerd',
  'dry-run': '/requests/default/vm-overcommit-check',
  access: '/access',
  account: '/access/mei',
  audit: '/audit',
  profile: '/profile',
  'not-found': '/no/such/page',
} as const

const states = {
  full: { mood: 'SignedIn', hosts: 60 },
  empty: { mood: 'SignedIn', hosts: 0 },
  loading: { mood: 'Silent' },
  error: { mood: 'Failing' },
  'no-permission': { mood: 'Denied' },
} as const satisfies Record<string, Omit<FedOptions, 'web'>>

const looks = [
  { language: 'en', theme: 'light' },
  { language: 'en', theme: 'dark' },
  { language: 'zh-CN', theme: 'light' },
  { language: 'zh-CN', theme: 'dark' },
] as const satisfies readonly VisitorOptions[]

/** The browser tells of every answer that is not a success. */
const failedCall = /Failed to load resource/

let browser: Browser
let web: string
beforeAll(async () => {
  web = await consolePages()
  browser = await launchBrowser()
  return () => browser.close()
})

async function fed(options: Omit<FedOptions, 'web'>): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = await startFedServer({ web, ...options })
  return { url: server.url, [Symbol.asyncDispose]: () => server.close() }
}

// A page is looked at while another one is drawn.
describe.concurrent.each(Object.entries(states))('%s', (state, options) => {
  // In each state each language and each theme once; whole pages in every look.
  const seen = looks.filter((_, index) => state === 'full' || index % 3 === 0)
  test.each(seen)('every page in $language, $theme', async ({ language, theme }) => {
    const preferences = { language, theme, timeZone: 'UTC' } as const
    await using server = await fed({ preferences, ...options })
    await using visitor = await Visitor.of(browser, { language, theme })
    const { page } = visitor
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(new URL(path, server.url).href)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForTimeout(300)
      expect([name, await accessibilityFaults(page), visitor.complaints(failedCall)]).toEqual([name, [], []])
      await keepScreenshot(page, `${name}-${state}-${language}-${theme}`)
    }
  })
})

describe('without a session', () => {
  test.each(looks)('the pages of the entrance in $language, $theme', async ({ language, theme }) => {
    for (const [mood, path] of [
      ['SignedOut', '/sign-in'],
      ['Bootstrap', '/bootstrap#a-token'],
      ['MustChangePassword', '/'],
    ] as const) {
      await using server = await fed({ mood, hosts: 3 })
      await using visitor = await Visitor.of(browser, { language, theme })
      const { page } = visitor
      await page.goto(new URL(path, server.url).href)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect([mood, await accessibilityFaults(page), visitor.complaints(failedCall)]).toEqual([mood, [], []])
      await keepScreenshot(page, `${mood}-${language}-${theme}`)
    }
  })
})
