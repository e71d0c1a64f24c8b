import { once } from 'node:events'
import { createServer } from 'node:net'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { freePorts } from './ports.ts'

test('ports differ, can be listened on, and are none that the kernel takes for outgoing connections', async () => {
  const ports = await freePorts(20, '127.0.0.1')
  expect(new Set(ports).size).toBe(20)
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  expect(Math.max(...ports)).toBeLessThan(Number(range.split('\t')[0]))
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  }
})

test('an address that is not of this machine is refused', async () => {
  await expect(freePorts(1, '192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL')
})
