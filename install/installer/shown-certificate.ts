import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'

export type Shown =
  | { readonly answered: true; readonly certificate: X509Certificate }
  | { readonly answered: false; readonly why: string }

const limitMs = 5_000

/**
 * The certificate that the agent shows to whoever connects, as the operator would. It is not judged here. We have none to show, so the agent then refuses us,
 * and logs that.
 */
export async function shownCertificate(
  { name, address, port }: { readonly name: string; readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<Shown> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Shown>()
  const silent = (why: string): void => resolve({ answered: false, why })
  const socket = connect({
    ...{ host: address, port, minVersion: 'TLSv1.3', rejectUnauthorized: false },
    ...(isIP(name) === 0 ? { servername: name } : {}),
  })
  const abort = (): void => reject(signal.reason)
  const timer = setTimeout(() => silent(`no answer within ${limitMs / 1_000} s`), limitMs)
  signal.addEventListener('abort', abort, { once: true })
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) silent('it shows no certificate')
    else resolve({ answered: true, certificate })
  })
  socket.on('error', (error: NodeJS.ErrnoException) => silent(error.code ?? error.message))
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    socket.destroy()
  })
}
