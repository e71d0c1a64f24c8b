import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { DeliveryError } from './delivery-error.ts'
import type { Deadline } from './deadline.ts'
import type { Endpoint } from './endpoint.ts'
import { revocation } from './revocation.ts'
import type { TlsSession } from './tls-sessions.ts'

export type TlsClient = {
  readonly context: SecureContext
  /** Of the Node whose host it is to be; undefined where there is none. */
  readonly nodeUid: string | undefined
  /** Of an earlier connection to this very endpoint, by this very context and name; spares both sides the certificates. */
  readonly session: TlsSession | undefined
  /** Told of each session that the host offers, once it has proved who it is. */
  readonly offered: (session: TlsSession) => void
}

/** What each of connecting and handshaking may take, if the delivery has so long. */
const handshakeLimitMs = 5_000
const tcpKeepAliveMs = 30_000

/**
 * A connection to the checked address and to no other: no name is resolved, no proxy asked.
 *
 * @throws DeliveryError `ConnectTimeout`, `ConnectFailed`, `TLSTimeout`, `TLSFailed`, `CertificateRevoked`: not a byte of a request was sent then
 * @throws the reason of the signal of `deadline`
 */
export async function openSocket(
  { host, address, port }: Pick<Endpoint, 'host' | 'address' | 'port'>,
  tls: TlsClient | undefined,
  deadline: Deadline,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const options = {
    ...{ host: address, port, noDelay: true },
    ...{ keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs },
  }
  const socket = tls === undefined ? connectPlain(options) : connectTls({ ...options, ...tlsOptions(host, tls) })
  // Node builds it, with the whole chain, for `checkServerIdentity`, which asks nothing of it here: a sixth of what a handshake costs.
  if (tls !== undefined) Object.defineProperty(socket, 'getPeerCertificate', { value: () => ({}) })
  let connected = false
  const settle = () => {
    deadline.leave()
    socket.off('error', onError).off('close', onClose).off('connect', onConnect).off('secureConnect', onSecure)
    // Until whoever gets it listens.
    socket.on('error', () => {})
  }
  const succeed = () => {
    settle()
    resolve(socket)
  }
  const fail = (error: Error) => {
    settle()
    socket.destroy()
    reject(error)
  }
  const onError = (error: Error) => fail(connected ? tlsError(wordsOf(error)) : connectError(error))
  const onClose = () => fail(connected ? tlsError('the host hung up') : connectError(new Error('the host hung up')))
  const onConnect = () => {
    connected = true
    if (tls === undefined) succeed()
    else deadline.enter('TLS', fail, handshakeLimitMs)
  }
  const onSecure = () => {
    const proof = proofOf(socket as TLSSocket, host, tls!)
    if (proof instanceof DeliveryError) {
      fail(proof)
      return
    }
    succeed()
    socket.on('session', (ticket: Buffer) => tls!.offered({ ...proof, ticket }))
  }
  socket.on('error', onError).once('close', onClose).once('connect', onConnect).once('secureConnect', onSecure)
  deadline.enter('Connect', fail, handshakeLimitMs)
  return promise
}

function tlsOptions(host: string, { context, session }: TlsClient): ConnectionOptions {
  return {
    secureContext: context,
    // RFC 6066: an address is no name. It is verified all the same.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(session === undefined ? {} : { session: session.ticket }),
    minVersion: 'TLSv1.3',
    // `proofOf` asks it, and takes no subject for a name.
    checkServerIdentity: () => undefined,
  }
}

/**
 * The certificate must bear the Host's name as a DNS name, and be of no other Node. That it is of our roots and in its time, OpenSSL has verified.
 *
 * In a resumed handshake no certificate is shown (RFC 8446, 2.2): the host proves that it holds the keys of the one before, which was judged here under
 * the same name and for the same Node, or it could not go on.
 */
function proofOf(
  socket: TLSSocket,
  host: string,
  { session: offered, nodeUid }: TlsClient,
): Omit<TlsSession, 'ticket'> | DeliveryError {
  if (socket.isSessionReused() && offered !== undefined) return { certificateEndsAt: offered.certificateEndsAt }
  const certificate = socket.getPeerX509Certificate()
  if (certificate?.checkHost(host, { subject: 'never', wildcards: false }) === undefined)
    return tlsError(`the certificate is for ${certificate?.subjectAltName ?? 'no name'}, not for DNS:${host}`)
  const revoked = revocation(certificate, host, nodeUid)
  if (revoked !== undefined) return revoked
  return { certificateEndsAt: certificate.validToDate.getTime() }
}

/** What Node calls the ways in which a connection does not come about; the words are for whoever looks for the cause. */
const connectCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens on the port',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EHOSTDOWN: 'host down',
  ETIMEDOUT: 'no connection: the host does not answer',
}

export function wordsOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? error.message : `${error.message} (${code})`
}

function connectError(error: Error): DeliveryError {
  const known = connectCodes[(error as NodeJS.ErrnoException).code ?? '']
  return new DeliveryError('ConnectFailed', known ?? `no connection: ${wordsOf(error)}`)
}

function tlsError(words: string): DeliveryError {
  return new DeliveryError('TLSFailed', `TLS: ${words}`)
}
