import { Daemon } from './daemon.ts'

/** Starts a daemon, tells its pid and stays. Argument: the daemon's log. */
const [, , log] = process.argv
const daemon = new Daemon('sleeper', ['sleep', '600'], { log: log! })
console.log(String(daemon.pid))
setInterval(() => {}, 60_000)
