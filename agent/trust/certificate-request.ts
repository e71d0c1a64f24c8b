import { createPublicKey, sign, type KeyObject } from 'node:crypto'

/**
 * A certificate signing request (PKCS #10, RFC 2986) in PEM for one DNS name, which is its common name too, and a P-256 key.
 *
 * Written out here, as a library for it makes the agent's one file half as large again and takes 15 MB of memory, for one message of
 * fixed shape a year.
 */
export function certificateRequest(name: string, key: KeyObject): string {
  const subject =
    name.length > maxCommonName ? [] : [set(sequence(commonName, tlv(tags.utf8String, Buffer.from(name))))]
  const names = sequence(tlv(tags.dnsName, Buffer.from(name)))
  const extensions = sequence(sequence(subjectAltName, tlv(tags.octetString, names)))
  const information = sequence(
    tlv(tags.integer, Buffer.from([0])),
    sequence(...subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tlv(tags.attributes, sequence(extensionRequest, set(extensions))),
  )
  const signature = tlv(tags.bitString, Buffer.from([0]), sign('sha256', information, key))
  const lines =
    sequence(information, sequence(ecdsaWithSha256), signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n')
}

/** RFC 5280, ub-common-name. A longer host name stands as DNS name only, which is all that anybody checks. */
const maxCommonName = 64

/** X.690; the last two are context-specific: RFC 5280 GeneralName, RFC 2986 CertificationRequestInfo. */
const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  attributes: 0xa0,
} as const

/** 2.5.4.3 */
const commonName = tlv(tags.objectIdentifier, Buffer.from('550403', 'hex'))
/** 2.5.29.17 */
const subjectAltName = tlv(tags.objectIdentifier, Buffer.from('551d11', 'hex'))
/** 1.2.840.113549.1.9.14 */
const extensionRequest = tlv(tags.objectIdentifier, Buffer.from('2a864886f70d01090e', 'hex'))
/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = tlv(tags.objectIdentifier, Buffer.from('2a8648ce3d040302', 'hex'))

function sequence(...parts: Buffer[]): Buffer {
  return tlv(tags.sequence, ...parts)
}

function set(...parts: Buffer[]): Buffer {
  return tlv(tags.set, ...parts)
}

/** Tag, length, value: a length below 128 is one byte, another follows the count of its bytes. */
function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts)
  const { length } = value
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), value])
}
