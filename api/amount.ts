/** A number of targets, or a percentage of them as `10%`, rounded up; as the API server lets it through. */
export type Amount = number | string

export function amountOf(amount: Amount, total: number): number {
  return typeof amount === 'number' ? amount : Math.ceil((total * Number(amount.replace('%', ''))) / 100)
}
