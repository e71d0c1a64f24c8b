import { measure } from './measure.ts'

/** `make bench`: the capsule's side. Tells the results and ends. Arguments: hosts, pairs, small (see measure.ts). */
const [hosts, pairs, small] = process.argv.slice(2).map(Number)
process.send?.('inside')
const results = await measure({ hosts: hosts!, pairs: pairs!, small: small! })
process.send?.({ results }, () => process.exit())
