import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { parse } from 'yaml'

export type Answer = { readonly status: number; readonly body: AnswerBody }

/** As much of an object or of a `metav1.Status` as the tests look at. */
type AnswerBody = {
  readonly message?: string
  readonly details?: { readonly causes?: readonly Cause[] }
  readonly status?: unknown
}

export type Cause = { readonly reason?: string; readonly message?: string; readonly field?: string }

/** Plain requests to a real API server, so that a test sees each answer as it is on the wire. */
export class ApiServer implements Disposable {
  readonly #server: string
  readonly #agent: Agent

  constructor(kubeconfig: string) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
      users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }]
    }
    const [{ cluster }] = clusters
    const [{ user }] = users
    this.#server = cluster.server
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 8,
      ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
      cert: Buffer.from(user['client-certificate-data'], 'base64'),
      key: Buffer.from(user['client-key-data'], 'base64'),
    })
  }

  async send(method: 'GET' | 'POST' | 'PUT', path: string, object?: unknown): Promise<Answer> {
    const headers = { accept: 'application/json', 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.#server}${path}`,
        { method, agent: this.#agent, headers, timeout: 30_000 },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (part: string) => (text += part))
          response.on('error', reject)
          response.on('end', () => {
            // A path that is not served yet answers in plain text.
            const body = response.headers['content-type']?.startsWith('application/json')
              ? JSON.parse(text)
              : { message: text }
            resolve({ status: response.statusCode ?? 0, body: body as AnswerBody })
          })
        },
      )
      call.on('error', reject)
      call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer`)))
      call.end(object === undefined ? undefined : JSON.stringify(object))
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
