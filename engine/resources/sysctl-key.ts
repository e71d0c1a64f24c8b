const maxKeyLength = 253

/** No leading dot, so that neither `.` nor `..` is one; no glob characters, which mean patterns in sysctl.d(5). */
const segment = /^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/

export type SysctlKey = {
  /** The one spelling that Keelson writes: separated by dots, as `net.ipv4.conf.eth0/100.rp_filter`. */
  readonly name: string
  /** Below /proc/sys: `net/ipv4/conf/eth0.100/rp_filter`. */
  readonly path: string
}

/**
 * Reads a key as sysctl.d(5) does: the first separator decides. A slash: what follows is a path as it stands. A dot: dots and slashes are
 * interchanged, so that a VLAN interface (`eth0.100`) can be named. `undefined`: not a key.
 */
export function parseSysctlKey(text: string): SysctlKey | undefined {
  if (text.length > maxKeyLength) return undefined
  const separator = /[./]/.exec(text)?.[0]
  const path = separator === '.' ? interchange(text) : text
  if (!path.split('/').every((part) => segment.test(part))) return undefined
  // The first segment has neither dot nor slash, so this spelling begins with a dot and reads back as the same path.
  return { name: interchange(path), path }
}

function interchange(text: string): string {
  return text.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))
}
