/** The hosts of the bench: simulated, so that one machine holds thousands. All of them are addresses of 127/8 in the capsule. */
export type Member = { readonly name: string; readonly address: string }

/** Those whose number is below this bear the label {@link partLabel}: a tenth of the fleet. */
export const partLabel = 'bench/part'

/** 127.1.0.1 and on: 250 addresses of each third octet, none of them 127.0.0.1, where the control plane listens. */
export function memberOf(index: number): Member {
  const name = `host-${String(index).padStart(5, '0')}`
  return { name, address: `127.1.${Math.floor(index / 250)}.${1 + (index % 250)}` }
}

export function members(count: number): Member[] {
  return Array.from({ length: count }, (_, index) => memberOf(index))
}
