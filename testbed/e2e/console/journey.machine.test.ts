import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, Visitor } from '../../browser/browser.ts'
import { accessibilityFaults } from '../../browser/accessibility.ts'
import { keepPicture, keepScreenshot } from '../../browser/pictures.ts'
import { mustRun } from '../../command.ts'
import { Demo } from '../../demo/demo.fixture.ts'

const administrator = { name: 'admin', password: 'a keel under every cluster' }
const reader = { name: 'reader', first: 'handed over on paper', password: 'only looks at the fleet' }
const hosts = ['control-plane', 'worker-1', 'worker-2']
/** A host is called lost 12 s after its last sign of life. */
const lostMs = 45_000

let demo: Demo
let browser: Browser
let admin: Visitor
let link: string

/** What the demo has told about the console, as a person would copy it. */
function told(pattern: RegExp): string {
  const found = pattern.exec(demo.output)?.[1]
  if (found === undefined) throw new Error(`the demo has not told ${pattern}:\n${demo.output}`)
  return found
}

/** As administrator of that machine; the demo's own directory tells which demo. */
async function inHost(host: string, ...argv: readonly string[]): Promise<void> {
  const env = { ...process.env, KEELSON_DEMO_DIRECTORY: demo.directory, SHELL_COMMAND: argv.join(' ') }
  await mustRun([process.execPath, join(import.meta.dirname, '../../demo/shell.ts'), host], { env })
}

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-journey-'))
  demo = new Demo(directory, ['make', 'demo', 'LIGHT=1'])
  await demo.says('It stays up until Ctrl-C')
  link = told(/(http:\/\/127[.]0[.]0[.]1:\d+\/bootstrap#\S+)/)
  browser = await launchBrowser()
  admin = await Visitor.of(browser, {})
  return async () => {
    await browser.close()
    demo.pressCtrlC()
    await demo.ended()
    await rm(directory, { recursive: true, force: true })
  }
}, 240_000)

async function isWell(visitor: Visitor, expected?: RegExp): Promise<void> {
  expect(await accessibilityFaults(visitor.page)).toEqual([])
  expect(visitor.complaints(expected)).toEqual([])
}

/** Fills the form of a new request; nothing is sent yet. */
async function write(page: Page, names: readonly string[], key: string, value: string): Promise<void> {
  await page.goto(new URL('/requests/new', link).href)
  for (const name of names) await page.getByRole('checkbox', { name: `Select ${name}` }).check()
  await page.getByText('Set', { exact: true }).click()
  await page.getByLabel('Key of parameter 1').fill(key)
  await page.getByRole('textbox', { name: 'Value of parameter 1' }).fill(value)
}

async function dryRun(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Dry run', exact: true }).click()
}

describe('a new user', () => {
  test('sets the first password by the link of the log, once', async () => {
    const { page } = admin
    await page.goto(link)
    await page.getByLabel('Your name').fill('Ada Admin')
    await page.getByLabel('New password', { exact: true }).fill(administrator.password)
    await page.getByLabel('New password again').fill(administrator.password)
    expect(page.url()).not.toContain('#')
    await isWell(admin)
    await page.getByRole('button', { name: 'Set the password and sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await using stranger = await Visitor.of(browser, {})
    await stranger.page.goto(link)
    await stranger.page.getByText('The first account exists already.').waitFor()
  })

  test('signs out, and in', async () => {
    const { page } = admin
    await page.getByRole('button', { name: 'Ada Admin' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Name of the account').fill(administrator.name)
    await page.getByLabel('Password', { exact: true }).fill('not this one at all')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The name or the password is wrong.').waitFor()
    await page.getByLabel('Password', { exact: true }).fill(administrator.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await isWell(admin, /401/)
    await keepPicture(page, 'overview')
  })

  test('sees every host', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'Hosts', exact: true }).click()
    for (const name of hosts) await page.getByRole('row', { name: new RegExp(`${name}.*Ready`) }).waitFor()
    await isWell(admin)
    await keepPicture(page, 'hosts')
  })

  test('writes a request to three hosts, and is told at the field what would be refused', async () => {
    const { page } = admin
    await write(page, hosts, 'net.ipv4.tcp_fin_timeout', '$(reboot)')
    await page.getByText('could mean something to a shell').waitFor()
    await page.getByRole('textbox', { name: 'Value of parameter 1' }).fill('55')
    await page.getByText('could mean something to a shell').waitFor({ state: 'detached' })
    await page.getByText('3 hosts of 3').waitFor()
    await isWell(admin)
    await keepPicture(page, 'compose')
  })

  test('sees in a dry run who would get what, byte for byte', async () => {
    const { page } = admin
    await dryRun(page)
    await page.getByText('3 hosts would get it').first().waitFor()
    await page.getByText('/v1/sysctl').first().waitFor()
    await page.getByText('"net.ipv4.tcp_fin_timeout"').first().waitFor()
    await isWell(admin)
    await keepPicture(page, 'dry-run')
  })

  test('sends it and watches it end', async () => {
    const { page } = admin
    await page.getByRole('button', { name: /^Send (it|to)/ }).click()
    await page.getByText('Succeeded', { exact: true }).first().waitFor()
    for (const name of hosts) await page.getByRole('gridcell', { name: `${name}: Succeeded` }).waitFor()
    await isWell(admin)
    await keepPicture(page, 'run')
  })

  test('sees one host fail that is cut off, and why', async () => {
    const { page } = admin
    await inHost('worker-2', 'ip', 'link', 'set', 'host0', 'down')
    await page.getByRole('link', { name: 'Hosts', exact: true }).click()
    await page.getByRole('row', { name: /worker-2.*Offline/ }).waitFor({ timeout: lostMs })
    await write(page, hosts, 'net.ipv4.tcp_fin_timeout', '50')
    await page.getByText('How it runs').click()
    await page.getByText('try all the same', { exact: true }).click()
    await page.getByLabel('Time for one host, in seconds').fill('3')
    await dryRun(page)
    await page.getByRole('button', { name: /^Send (it|to)/ }).click()
    await page.getByText('Failed', { exact: true }).first().waitFor({ timeout: 30_000 })
    await page.getByRole('gridcell', { name: /^worker-2: Failed/ }).waitFor()
    await page.getByText('no connection within 3 s', { exact: true }).waitFor()
    await page.getByRole('gridcell', { name: 'worker-1: Succeeded' }).waitFor()
    await isWell(admin)
    await keepPicture(page, 'failed-run')
  })

  test('sends it again to that host alone once it is back', async () => {
    const { page } = admin
    await inHost('worker-2', 'ip', 'link', 'set', 'host0', 'up')
    const run = page.url()
    await page.getByRole('link', { name: 'Hosts', exact: true }).click()
    await page.getByRole('row', { name: /worker-2.*Ready/ }).waitFor({ timeout: lostMs })
    await page.goto(run)
    await page.getByRole('button', { name: 'Retry failed only' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('1 host gets it').waitFor()
    await isWell(admin)
    await dialog.getByRole('button', { name: 'Retry failed only' }).click()
    await page.getByRole('gridcell', { name: 'worker-2: Succeeded' }).waitFor()
    expect(await page.getByRole('gridcell', { name: /^worker-1:/ }).count()).toBe(0)
  })

  test('makes a second person who may only read', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'Access', exact: true }).click()
    await page.getByRole('button', { name: 'New account' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name', { exact: true }).fill(reader.name)
    await dialog.getByLabel('First password').fill(reader.first)
    await dialog.getByRole('group', { name: 'keelson-viewer' }).getByText('Everywhere').click()
    await isWell(admin)
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByText('reader was created').waitFor()
    await isWell(admin)
    await keepPicture(page, 'account')
  })

  test('the second person is refused by Kubernetes what was not given', async () => {
    await using visitor = await Visitor.of(browser, {})
    const { page } = visitor
    await page.goto(link)
    await page.getByRole('link', { name: 'To the sign-in page' }).click()
    await page.getByLabel('Name of the account').fill(reader.name)
    await page.getByLabel('Password', { exact: true }).fill(reader.first)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByLabel('Present password').fill(reader.first)
    await page.getByLabel('New password', { exact: true }).fill(reader.password)
    await page.getByLabel('New password again').fill(reader.password)
    await page.getByRole('button', { name: 'Change the password' }).click()
    await page.getByRole('link', { name: 'Hosts', exact: true }).click()
    await page.getByRole('row', { name: /worker-1.*Ready/ }).waitFor()
    await isWell(visitor)

    await write(page, ['worker-1'], 'net.ipv4.tcp_fin_timeout', '1')
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await dryRun(page)
    const answer = await answered
    expect(answer.status()).toBe(403)
    expect(await answer.json()).toMatchObject({ kubernetes: { status: 403, reason: 'Forbidden' } })
    await page.getByText('may not create requests in the namespace default').first().waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, 'refused')

    await page.goto(new URL('/access', link).href)
    await page.getByText('You may not see this').waitFor()
    await page.goto(new URL('/audit', link).href)
    await page.getByText('You may not see this').waitFor()
    visitor.complaints()
  })

  test('finds all of it in the audit, the refusal too', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'Audit', exact: true }).click()
    const refused = page.getByRole('row', { name: /reader.*Denied/ })
    await refused.first().waitFor()
    await isWell(admin)
    await keepPicture(page, 'audit')
  })
})

describe('every page of the real console', () => {
  const looks = [
    { language: 'English', theme: 'Light', name: 'en-light' },
    { language: 'English', theme: 'Dark', name: 'en-dark' },
    { language: '简体中文', theme: '深色', name: 'zh-CN-dark' },
    { language: '简体中文', theme: '浅色', name: 'zh-CN-light' },
  ] as const

  test.each(looks)('in $language, $theme, as chosen in the menus', async ({ language, theme, name }) => {
    const { page } = admin
    await page.goto(new URL('/', link).href)
    await page.getByRole('button', { name: /^(Language|语言)$/ }).click()
    await page.getByRole('button', { name: language, exact: true }).click()
    await page.getByRole('button', { name: /^(Theme|主题)$/ }).click()
    await page.getByRole('button', { name: theme, exact: true }).click()
    const places = ['/', '/hosts', '/hosts?view=tiles', '/hosts/worker-1', '/requests', '/requests/new']
    for (const place of [...places, '/requests/default/canary', '/access', '/access/reader', '/audit', '/profile']) {
      // The menus have saved it: it is there from the first paint on.
      await page.goto(new URL(place, link).href)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.getByRole('main').getByText(/./).first().waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe(name.startsWith('en') ? 'en' : 'zh-CN')
      expect(await page.locator('html').getAttribute('data-bs-theme')).toBe(name.endsWith('dark') ? 'dark' : 'light')
      await isWell(admin)
      await keepScreenshot(page, `real${place.replaceAll(/[/?=]/g, '-')}-${name}`)
    }
  })
})
