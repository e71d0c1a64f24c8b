import { connect, type Server, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

const maximumConnections = 256

/**
 * Inside a capsule: joins a listening socket that the starter handed in to an address of the capsule. Bytes only, both ways, so TLS goes
 * through from end to end. `waiting` is told by the starter's message; it comes once.
 */
export function joinListener(
  name: string,
  target: () => { readonly host: string; readonly port: number } | undefined,
): void {
  process.on('message', (message: { listener?: string }, handle: unknown) => {
    if (message.listener !== name) return
    const server = handle as Server
    server.maxConnections = maximumConnections
    server.on('connection', (socket: Socket) => {
      const to = target()
      if (to === undefined) socket.destroy()
      else join(socket, connect(to))
    })
  })
}

function join(outer: Socket, inner: Socket): void {
  // Either end closing closes the other; a reset is an end like any other.
  pipeline(outer, inner, () => outer.destroy())
  pipeline(inner, outer, () => inner.destroy())
}
