import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Of JSON; undefined where the answer is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it by path and compare
  readonly body: any
}

export interface Sending {
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Buffer
  readonly headers?: Readonly<Record<string, string | undefined>>
}

/** Keeps cookies and sends the CSRF token as the pages do; every header can be replaced, or left out by `undefined`. Real HTTP, each call over a connection of its own. */
export class Browser {
  readonly #address: URL
  readonly #origin: string
  readonly cookies = new Map<string, string>()
  csrfToken = ''

  constructor(address: URL, origin: string) {
    this.#address = address
    this.#origin = origin
  }

  async get(path: string, sending: Sending = {}): Promise<Answer> {
    return this.send('GET', path, sending)
  }

  async post(path: string, body?: unknown, sending: Sending = {}): Promise<Answer> {
    return this.send('POST', path, { body, ...sending })
  }

  async send(method: string, path: string, { body, raw, headers = {} }: Sending = {}): Promise<Answer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const all: Record<string, string | undefined> = {
      cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') || undefined,
      'content-type': payload === undefined ? undefined : 'application/json',
      'content-length': payload === undefined ? undefined : String(Buffer.byteLength(payload)),
      'sec-fetch-site': 'same-origin',
      origin: method === 'GET' ? undefined : this.#origin,
      'x-csrf-token': method === 'GET' || this.csrfToken === '' ? undefined : this.csrfToken,
      ...headers,
    }
    const { hostname, port } = this.#address
    const call = request({
      hostname,
      port,
      method,
      // As it is: an URL would take ../ out.
      path,
      agent: false,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >,
    })
    // A server that refuses a body need not read it to its end.
    call.on('error', () => {})
    call.end(payload)
    const [answer] = (await Promise.race([once(call, 'response'), failure(call)])) as [IncomingMessage]
    let text = ''
    for await (const chunk of answer.setEncoding('utf8')) text += chunk as string
    this.#keep(answer.headers['set-cookie'] ?? [])
    const isJson = answer.headers['content-type']?.startsWith('application/json') === true
    return {
      status: answer.statusCode!,
      headers: answer.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    }
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '') this.cookies.delete(name!)
      else this.cookies.set(name!, value!)
    }
  }

  /** Gets the CSRF token, as the pages do when they are opened. */
  async open(): Promise<Answer> {
    const answer = await this.get('/api/session')
    this.csrfToken = answer.body.csrfToken as string
    return answer
  }

  async signIn(name: string, password: string, sending: Sending = {}): Promise<Answer> {
    await this.open()
    const answer = await this.post('/api/session', { name, password }, sending)
    if (answer.status === 200) this.csrfToken = answer.body.csrfToken as string
    return answer
  }
}

async function failure(call: ReturnType<typeof request>): Promise<never> {
  await once(call, 'close')
  throw new Error('the connection was closed without an answer')
}
