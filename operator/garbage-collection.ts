import { setFlagsFromString } from 'node:v8'

/** Of V8, changeable while it runs. */
export const collectionFlags = ['--external-memory-accounted-in-global-limit', '--heap-growing-percent=40'] as const

/**
 * V8 begins a collection of the whole heap for every few dozen MB that objects hold outside of it. Each TLS connection holds some 60 KB there, and
 * lives on: connecting to 5,000 hosts was ten collections that found next to nothing. Now what is outside counts with what is inside, and a
 * collection begins when both together have grown by two fifths. A V8 that does not know a flag any more says so on stderr and goes on.
 */
export function collectInProportion(): void {
  for (const flag of collectionFlags) setFlagsFromString(flag)
}
