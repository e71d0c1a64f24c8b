import { BlockList, isIP, isIPv6 } from 'node:net'

/**
 * Addresses that no host of a cluster can have. Kubelets write the addresses of Nodes, so they are not trusted: one that points back at
 * the operator, at a metadata service or at a group is refused before a socket is opened.
 */
function refusedRanges(allowLoopback: boolean): BlockList {
  const list = new BlockList()
  list.addSubnet('0.0.0.0', 8, 'ipv4')
  list.addSubnet('169.254.0.0', 16, 'ipv4')
  list.addSubnet('224.0.0.0', 3, 'ipv4')
  list.addAddress('::', 'ipv6')
  // Translated to IPv4, whatever that is.
  list.addSubnet('64:ff9b::', 96, 'ipv6')
  list.addSubnet('fe80::', 10, 'ipv6')
  list.addSubnet('ff00::', 8, 'ipv6')
  if (!allowLoopback) {
    list.addSubnet('127.0.0.0', 8, 'ipv4')
    list.addAddress('::1', 'ipv6')
  }
  return list
}

/**
 * The question whether an address may be connected to; what is not an IP address, or one with a zone (`%eth0`), may not. An IPv4-mapped one
 * is judged as IPv4.
 */
export function addressCheck(options: { readonly allowLoopback: boolean }): (address: string) => boolean {
  const refused = refusedRanges(options.allowLoopback)
  return (address) =>
    isIP(address) !== 0 && !address.includes('%') && !refused.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
