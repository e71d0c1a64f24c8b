import { createServer } from 'node:net'

/** Free TCP ports on an address: all held at once, so that they differ, then let go. */
export async function freePorts(count: number, address: string): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve))
      return server
    }),
  )
  const ports = servers.map((server) => {
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error(`no port on ${address}`)
    return bound.port
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
