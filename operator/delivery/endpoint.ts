import { isIPv6 } from 'node:net'
import { agentPort } from '@keelson/api'

export type ClientCertificate = {
  /** PEM of the roots that sign agents. */
  readonly ca: string
  /** PEM of the operator's certificate and its key. */
  readonly certificate: string
  readonly key: string
}

export type Endpoint = {
  /** Name of the Host; with https the certificate must bear it. */
  readonly host: string
  /** IP address, checked before. */
  readonly address: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

/** Only there the operator shows its certificate, and only there answers somebody who knows a repeated request for one. */
export function isAgent({ port, scheme }: Pick<Endpoint, 'port' | 'scheme'>): boolean {
  return port === agentPort && scheme === 'https'
}

export function originOf({ scheme, address, port }: Endpoint): string {
  return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`
}

/** Two Hosts with one address share nothing: a certificate is verified for one name. */
export function keyOf(endpoint: Endpoint): string {
  return `${originOf(endpoint)} ${endpoint.host}`
}
