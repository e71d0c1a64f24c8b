import { destroyCgroup } from './cgroup.ts'

/**
 * Outlives the starter of a capsule by a moment. A pipe on stdin tells of the starter's end, whatever way it came about; what is left of
 * the capsule then is ended and its cgroup folder, the only trace that the kernel does not take away itself, is removed.
 *
 * Arguments: the folder of the cgroup.
 */
const [directory] = process.argv.slice(2)
if (directory === undefined) throw new TypeError('usage: sweeper.ts CGROUP_FOLDER')

process.stdin.resume().on('end', () => void destroyCgroup(directory))
