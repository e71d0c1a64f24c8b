import type { LabelSelector } from './label-selector.ts'

/** Whether labels fulfil a metav1.LabelSelector: all of its parts; an empty selector is fulfilled by everything. */
export function matchesSelector(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string) => Object.hasOwn(labels, key)
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    if (!has(key) || labels[key] !== value) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return has(key) && values.includes(labels[key]!)
      case 'NotIn':
        return !has(key) || !values.includes(labels[key]!)
      case 'Exists':
        return has(key)
      case 'DoesNotExist':
        return !has(key)
    }
  })
}
