import { ecdsaP256, x509 } from './x509.ts'

export type RequestOptions = {
  readonly subject?: string
  readonly names?: readonly x509.JsonGeneralName[]
  readonly extensions?: readonly x509.Extension[]
  readonly attributes?: readonly x509.Attribute[]
  readonly algorithm?: EcKeyGenParams | RsaHashedKeyGenParams
  readonly keys?: Keys
}

type EcKeyGenParams = { readonly name: 'ECDSA' | 'Ed25519'; readonly namedCurve?: string; readonly hash?: string }
type RsaHashedKeyGenParams = {
  readonly name: 'RSASSA-PKCS1-v1_5'
  readonly modulusLength: number
  readonly publicExponent: Uint8Array
  readonly hash: string
}
type Keys = Awaited<ReturnType<typeof makeKeys>>

export async function makeKeys(algorithm: NonNullable<RequestOptions['algorithm']> = ecdsaP256) {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  if (!('privateKey' in keys)) throw new Error('not a key pair')
  return keys
}

/** A PKCS #10 request in PEM: for an agent unless told otherwise. */
export async function makeRequest(name: string, options: RequestOptions = {}): Promise<string> {
  const { algorithm = ecdsaP256, names = [{ type: 'dns', value: name }], extensions = [], attributes = [] } = options
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: options.subject ?? (name.length > 64 ? '' : `CN=${name}`),
    keys: options.keys ?? (await makeKeys(algorithm)),
    signingAlgorithm: algorithm,
    extensions: [...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...names])] : []), ...extensions],
    attributes: [...attributes],
  })
  return `${request.toString('pem')}\n`
}
