import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { parse } from 'yaml'

export type Answer = { readonly status: number; readonly body: AnswerBody }

/** As much of an object or of a `metav1.Status` as the tests look at. */
type AnswerBody = {
  readonly message?: string
  readonly reason?: string
  readonly metadata?: { readonly resourceVersion?: string }
  readonly details?: { readonly causes?: readonly Cause[] }
  readonly spec?: unknown
  readonly status?: unknown
}

export type Cause = { readonly reason?: string; readonly message?: string; readonly field?: string }

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Plain requests to a real API server, so that a test sees each answer as it is on the wire. */
export class ApiServer implements Disposable {
  readonly #server: string
  readonly #agent: Agent
  readonly #headers: Readonly<Record<string, string>>

  constructor(kubeconfig: string) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
      users: [{ user: { 'client-certificate-data'?: string; 'client-key-data'?: string; token?: string } }]
    }
    const [{ cluster }] = clusters
    const [{ user }] = users
    this.#server = cluster.server
    this.#headers = {
      accept: 'application/json',
      ...(user.token !== undefined && { authorization: `Bearer ${user.token}` }),
    }
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 8,
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    })
  }

  /** `body` is sent as JSON; a text as it is. */
  async send(method: Method, path: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
    const headers = { ...this.#headers, 'content-type': contentType }
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.#server}${path}`,
        { method, agent: this.#agent, headers, timeout: 30_000 },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (part: string) => (text += part))
          response.on('error', reject)
          response.on('end', () => {
            const answer = parsed(text)
            resolve({ status: response.statusCode ?? 0, body: answer as AnswerBody })
          })
        },
      )
      call.on('error', reject)
      call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer`)))
      call.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
    })
  }

  /** @throws Error with the server's words unless the object was made */
  async create(path: string, object: unknown): Promise<AnswerBody> {
    const { status, body } = await this.send('POST', path, object)
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`)
    return body
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

function decoded(base64: string | undefined): Buffer | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64')
}

/** A path that is not served yet answers in plain text, and a watch with one object a line, of which there may be any number. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { message: text }
  }
}
