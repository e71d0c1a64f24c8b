import { appendFileSync, existsSync } from 'node:fs'
import { createServer } from 'node:http'

/** Runs in a host: somebody's server on port 9000. Writes requests down, and answers none as long as the host has the file /run/held. */
const tell = (line: string) => appendFileSync('/var/log/held-receiver.log', `${line}\n`)

createServer(({ url }, response) => {
  tell(`${url} received`)
  const timer = setInterval(() => {
    if (existsSync('/run/held')) return
    clearInterval(timer)
    tell(`${url} answered`)
    response.end('done\n')
  }, 20)
  response.once('close', () => clearInterval(timer))
}).listen(9000)
