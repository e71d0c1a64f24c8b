import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

export type AddressRules = {
  /** For test beds whose hosts are processes of one machine. */
  readonly allowLoopback: boolean
  /** Of the cluster's Services, as `10.96.0.0/16`. */
  readonly serviceRanges: readonly string[]
}

/** Addresses that no host of a cluster can have. Kubelets write the addresses of Nodes, so they are not trusted. */
const impossible: readonly (readonly [range: string, what: string])[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
  // Wherever these lead to, it is an IPv4 address that was not looked at: RFC 4291 2.5.5.1, RFC 6052, RFC 8215, RFC 3056.
  ['::/96', 'IPv4 in IPv6'],
  ['64:ff9b::/96', 'IPv4 in IPv6'],
  ['64:ff9b:1::/48', 'IPv4 in IPv6'],
  ['2002::/16', 'IPv4 in IPv6'],
]

const impossibleLists = impossible.map(([range, what]) => ({ what, list: listOf([range]) }))
const anyImpossible = listOf(impossible.map(([range]) => range))

/**
 * The one way to write an IP address: an IPv4-mapped one as IPv4, IPv6 in small letters and short. Undefined for what is none: a name, one with a zone
 * (`%eth0`), IPv4 in decimal, octal or hexadecimal form.
 */
export function canonicalAddress(address: string): string | undefined {
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return undefined
  if (family === 4) return address
  const written = new SocketAddress({ address, family: 'ipv6' }).address
  const mapped = /^::ffff:([0-9.]+)$/.exec(written)?.[1]
  return mapped !== undefined && isIPv4(mapped) ? mapped : written
}

/** Why no host can have this address, as `is loopback`; undefined where one can. */
export function addressFault(address: string, rules: AddressRules): string | undefined {
  const canonical = canonicalAddress(address)
  if (canonical === undefined) return 'is no IP address'
  if (anyImpossible.check(canonical, familyOf(canonical))) {
    const { what } = impossibleLists.find(({ list }) => list.check(canonical, familyOf(canonical)))!
    if (what !== 'loopback' || !rules.allowLoopback) return `is ${what}`
  }
  return isWithin(canonical, rules.serviceRanges) ? "is in the range of the cluster's Services" : undefined
}

function isWithin(address: string, ranges: readonly string[]): boolean {
  return ranges.length > 0 && rangeList(ranges).check(address, familyOf(address))
}

let latest: { readonly of: readonly string[]; readonly list: BlockList } | undefined

/** They are the same ones all the time. */
function rangeList(ranges: readonly string[]): BlockList {
  if (latest?.of !== ranges) latest = { of: ranges, list: listOf(ranges) }
  return latest.list
}

/** @throws where a range is none */
export function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits = '', ...rest] = range.split('/')
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!
    if (!/^\d{1,3}$/.test(bits) || Number(bits) > most || rest.length > 0)
      throw new TypeError(`${range} is no range of addresses: write it as 10.96.0.0/16`)
    list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}
