import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Free TCP ports on an address, in ascending order. All from below the range that the kernel takes for outgoing connections (ip(7),
 * ip_local_port_range): one of those would otherwise now and then hold the port of a server that is about to start again.
 */
export async function freePorts(count: number, address: string): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) {
    const port = randomInt(10_000, 30_000)
    if (await isFree(port, address)) found.add(port)
  }
  return [...found].toSorted((a, b) => a - b)
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen({ port, host })
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
