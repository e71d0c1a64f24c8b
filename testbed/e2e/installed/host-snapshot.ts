import type { Host } from '../../hosts/host.ts'

/** What changes by itself on a node that runs: of the kernel, of this boot, and what containers, kubelet, etcd, systemd and logs keep. */
const volatile = [
  ...['/proc', '/sys', '/dev', '/run', '/tmp', '/var/tmp', '/var/log', '/var/cache'],
  ...['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/etcd', '/var/lib/cni', '/var/lib/systemd', '/etc/cni'],
]

/** What lies on a host and what its systemd knows: lines that can be compared. */
export class HostSnapshot {
  /** Path, kind, mode and owner of everything, sorted; below /etc and of links also what they hold. */
  readonly files: readonly string[]
  /** As `systemctl list-unit-files` tells: name and whether it is enabled. */
  readonly units: readonly string[]

  private constructor(files: readonly string[], units: readonly string[]) {
    this.files = files
    this.units = units
  }

  static async take(host: Host): Promise<HostSnapshot> {
    const pruned = volatile.flatMap((path, index) => [...(index === 0 ? [] : ['-o']), '-path', path])
    const find = ['find', '/', '(', ...pruned, ')', '-prune', '-o', '-printf', '%p %y %m %u:%g %l\\n']
    const files = lines((await host.run(find)).stdout)
    const sums = lines((await host.run(['find', '/etc', '-type', 'f', '-exec', 'sha256sum', '{}', '+'])).stdout)
    const listed = ['systemctl', 'list-unit-files', '--no-legend', '--no-pager', '--plain']
    return new HostSnapshot([...files, ...sums].toSorted(), lines((await host.run(listed)).stdout))
  }

  /** Lines that the other one has and this has not, with +, and the other way round with -. */
  changesTo(other: HostSnapshot): string[] {
    return [...difference(this.files, other.files), ...difference(this.units, other.units)]
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean).toSorted()
}

function difference(before: readonly string[], after: readonly string[]): string[] {
  const [had, has] = [new Set(before), new Set(after)]
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ]
}
