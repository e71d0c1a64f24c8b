import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

export type VisitorOptions = {
  readonly language?: 'en' | 'zh-CN'
  readonly theme?: 'light' | 'dark'
}

/** A page of a person, and all that the browser held against it. */
export class Visitor implements AsyncDisposable {
  readonly page: Page
  readonly #context: BrowserContext
  readonly #complaints: string[] = []

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context
    this.page = page
    // A violated Content-Security-Policy is an error of the console too.
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        this.#complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`)
    })
    page.on('pageerror', (error) => this.#complaints.push(`uncaught: ${error.message}`))
  }

  static async of(browser: Browser, { language = 'en', theme = 'light' }: VisitorOptions): Promise<Visitor> {
    const context = await browser.newContext({
      locale: language,
      colorScheme: theme,
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(15_000)
    return new Visitor(context, await context.newPage())
  }

  /** What the browser has complained of since this was asked last, but for answers of the server that `expected` matches. */
  complaints(expected?: RegExp): readonly string[] {
    return this.#complaints.splice(0).filter((text) => expected === undefined || !expected.test(text))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
  }
}

/** Debian's Chromium, without a window. It needs no network but the loopback of the capsule that it runs in. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Its sandbox wants to be anybody but root. The capsule is the sandbox here.
    // Nothing of its own goes out: no name is resolved.
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--font-render-hinting=none',
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
    ],
  })
}
