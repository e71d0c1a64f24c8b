import { measure } from './measure.ts'

/** `make bench`: the capsule's side. Tells the results and ends. Arguments: hosts, pairs, small, pages (see measure.ts). */
const [, , hosts, pairs, small, pages] = process.argv
process.send?.('inside')
const results = await measure({ hosts: Number(hosts), pairs: Number(pairs), small: Number(small), pages: pages! })
process.send?.({ results }, () => process.exit())
