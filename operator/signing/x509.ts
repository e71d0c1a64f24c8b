// The library's container asks for it before it is loaded itself.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(globalThis.crypto)

export const ecdsaP256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** For clocks that are slow: a certificate that is not valid yet is refused. */
export const backdateMs = 3_600_000

export { x509 }
