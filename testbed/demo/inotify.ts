import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Instances that root's processes hold on a host, as was counted: a control plane's with its pods, and a worker's. */
const ofControlPlane = 31
const ofWorker = 18

/** How many hosts of a cluster, the control plane among them, this machine's limit of inotify instances for one user leaves room for (inotify(7)). */
export function hostsByInotify(limit = instancesAllowed(), used = instancesUsed()): number {
  return limit - used < ofControlPlane ? 0 : 1 + Math.floor((limit - used - ofControlPlane) / ofWorker)
}

/** What kubelet says without one is `too many open files`, minutes later: so whoever asks for too many hosts is told before. */
export function inotifyProblem(hosts: number): string | undefined {
  const possible = hostsByInotify()
  if (hosts <= possible) return undefined
  const wanted = instancesUsed() + ofControlPlane + (hosts - 1) * ofWorker
  return `A cluster of ${hosts} hosts needs more inotify instances than this machine has left for root (room for ${possible} hosts): set sysctl fs.inotify.max_user_instances, now ${instancesAllowed()}, to at least ${wanted}, or take fewer hosts by HOSTS, or the quick demo by LIGHT=1.`
}

function instancesAllowed(): number {
  return Number(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'utf8'))
}

/** Of all processes that can be seen from here; root's are all of them, or as good as. */
function instancesUsed(): number {
  let used = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`)
      used += descriptors.filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === 'anon_inode:inotify').length
    } catch {
      // It went away while it was looked at.
    }
  return used
}
