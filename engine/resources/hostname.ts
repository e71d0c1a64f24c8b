import { z } from 'zod'
import { parseEnvironmentFile } from '../environment-file.ts'
import { fileError, ResourceError } from '../resource-error.ts'
import type { Change, Fields, ResourceType } from '../resource-type.ts'
import { kubeletNamedByHost } from './kubelet.ts'

/** hostname(7), and Linux' HOST_NAME_MAX. */
const maxNameLength = 64
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const namePattern = new RegExp(`^${label}([.]${label})*$`)

type Subject = object
type Desired = { readonly static: string }
type State = {
  readonly static: string
  /** The kernel's, the one in force; systemd's word for it. */
  readonly transient: string
  readonly pretty: string | undefined
  /** See `kubeletNamedByHost`. */
  readonly kubelet: number | undefined
}

const Body = z.strictObject({
  static: z
    .string()
    .max(maxNameLength, `a host name has at most ${maxNameLength} characters`)
    .regex(
      namePattern,
      'a host name is made of labels of a-z, 0-9 and -, each beginning and ending with a letter or digit, separated by dots',
    )
    // systemd takes these for "no name set".
    .refine((name) => !/^localhost([.]localdomain)?$/.test(name), 'localhost is the name of no host'),
})

/** The host's name: hostname(7), hostnamectl(1). GET without parameters; POST `{"static": NAME}`; fields `static`, `transient`, `pretty`. */
export const hostname: ResourceType<Subject, Desired, State> = {
  name: 'hostname',
  version: 1,
  query: z.strictObject({}),
  body: Body,

  async read(system, _subject, signal) {
    const [file, info, transient, kubelet] = await Promise.all([
      system.readIfPresent('/etc/hostname'),
      system.readIfPresent('/etc/machine-info'),
      system.read('/proc/sys/kernel/hostname').catch((error: unknown) => {
        throw fileError('/proc/sys/kernel/hostname', error)
      }),
      kubeletNamedByHost(system, signal),
    ])
    const pretty = parseEnvironmentFile(info?.toString() ?? '').get('PRETTY_HOSTNAME')
    return { static: nameIn(file?.toString() ?? ''), transient: transient.toString().trim(), pretty, kubelet }
  },

  fields({ static: name, transient, pretty }) {
    return { static: name, transient, ...(pretty ? { pretty } : {}) } satisfies Fields
  },

  diff(state, { static: wanted }) {
    const changes: Change[] = []
    if (state.static !== wanted) changes.push({ field: 'static', from: state.static, to: wanted })
    if (state.transient !== wanted) changes.push({ field: 'transient', from: state.transient, to: wanted })
    if (state.transient !== wanted && state.kubelet !== undefined) {
      const message =
        `the kubelet (process ${state.kubelet}) runs without --hostname-override and would register as another Node: ` +
        'give it --hostname-override with the present name of its Node first'
      throw new ResourceError('state', 'NodeWouldBeRenamed', message, { field: 'static' })
    }
    return changes
  },

  /**
   * Both kinds are named: without a kind hostnamectl would clear the pretty name as well, and --static alone does nothing where
   * /etc/hostname is right and only the kernel's name is not. `set-hostname` is the verb that systemd before 249 knows too.
   */
  async apply(system, { desired }, signal) {
    const options = ['--no-ask-password', '--static', '--transient'] as const
    await system.run(
      ['/usr/bin/hostnamectl', ...options, 'set-hostname', '--', desired.static],
      { timeoutMs: 30_000 },
      signal,
    )
  },
}

/** hostname(5): the first line that is neither empty nor a comment. */
function nameIn(content: string): string {
  const lines = content.split('\n').map((line) => line.trim())
  return lines.find((line) => line !== '' && !line.startsWith('#')) ?? ''
}
