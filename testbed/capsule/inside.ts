import { pathToFileURL } from 'node:url'
import { seal } from './seal.ts'

/**
 * First program inside a capsule: seals the mounts, then becomes the module that it is given.
 *
 * Arguments: module, then the module's own.
 */
const [, , module, ...args] = process.argv
if (module === undefined || process.send === undefined) throw new TypeError('inside.ts is started by capsule.ts only')

// The channel breaks when the starter dies: a second string beside the kernel's death signal, which a starter that dies
// before the signal is armed would slip by.
process.once('disconnect', () => process.exit(137))
// The watch on the starter must not keep a program alive that has ended.
process.channel?.unref()

await seal()
process.argv = [process.argv[0]!, module, ...args]
await import(pathToFileURL(module).href)
