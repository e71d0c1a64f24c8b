/** Without those that look alike: o and 0, i, l and 1. 32 of them, so that a byte's five bits choose evenly. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789+'
const groups = 4
const groupLength = 5

/** A password to be handed over and changed at the first sign-in: 100 bits, in groups that can be read out. `random` fills the bytes. */
export function firstPassword(random: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  const bytes = new Uint8Array(groups * groupLength)
  random(bytes)
  const letters = Array.from(bytes, (byte) => alphabet[byte % alphabet.length])
  return Array.from({ length: groups }, (_, group) =>
    letters.slice(group * groupLength, (group + 1) * groupLength).join(''),
  ).join('-')
}
