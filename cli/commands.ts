import type { Command } from './command.ts'

/** In the order of the help. */
export const commands: readonly Command[] = [
  {
    name: 'operator',
    usage: '[--kubeconfig FILE] [--facts-interval-seconds N] …',
    summary: 'runs the operator of a cluster',
    run: program(async () => import('@keelson/operator/main')),
  },
  {
    name: 'console',
    usage: '[--config FILE]',
    summary: 'runs the web console; docs/console-settings.md names its settings',
    run: program(async () => import('@keelson/console/main')),
  },
  {
    name: 'agent',
    usage: '[--config FILE]',
    summary: 'runs the agent of this host',
    run: program(async () => import('@keelson/agent/main')),
  },
  {
    name: 'install-agent',
    usage:
      '--node-name NODE --address IP [--host-root FOLDER] [--state Present|Absent] [--probe-address [HOST]:PORT] …',
    summary: 'keeps the agent installed on the host whose root folder is mounted here, or takes it away; runs in a Pod',
    run: program(async () => import('@keelson/install/main')),
  },
  {
    name: 'join',
    usage: '--name HOST [--kubeconfig FILE] [--folder FOLDER] [--replace] [--timeout-seconds N]',
    summary:
      'gets this host its certificate, with --replace another one in place of a good one; without --kubeconfig as the Pod that this runs in',
    run: async (args, out) => (await import('./join.ts')).join(args, out),
  },
  {
    name: 'approve',
    usage: 'REQUEST [--kubeconfig FILE]',
    summary: 'approves the request for a certificate that `keelson join` has made on a host',
    run: async (args, out) => (await import('./approve.ts')).approve(args, out),
  },
]

/** A program of its own, which reads the command line itself and logs its own end. */
function program(load: () => Promise<unknown>): Command['run'] {
  return async () => {
    process.argv.splice(2, 1)
    await load()
  }
}
