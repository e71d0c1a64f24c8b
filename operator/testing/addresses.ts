/**
 * Addresses of this machine for hosts of a test, `host` from 1 to 254. Each process has its own, since agents have one port on every
 * address and several test runs may be under way.
 */
export function loopbackAddress(host: number): string {
  return `127.${100 + ((process.pid >> 8) % 100)}.${process.pid % 256}.${host}`
}
