/** A plugin of PostCSS, as far as this one needs it. */
interface StylesPlugin {
  readonly postcssPlugin: string
  Rule(rule: { selectors: string[]; remove(): void }): void
}

/**
 * Leaves out the rules that ask for a class that no page has: nine tenths of Tabler. Only what stands outside of `:not()`, `:is()` and the like is looked
 * at, so that a rule is rather kept than lost.
 *
 * Rules as `legend + *` go too: because of one of them a browser computes the styles of all rows of a grid anew, each time one is put in.
 */
export function trimStyles(words: ReadonlySet<string>): StylesPlugin {
  const used = (selector: string) =>
    !/[+~]\s*[*]$/.test(selector) &&
    [...selector.replaceAll(/\([^()]*\)/g, '').matchAll(/[.]([A-Za-z_-][\w-]*)/g)].every(([, name]) => words.has(name!))
  return {
    postcssPlugin: 'keelson:trim-styles',
    Rule(rule) {
      const kept = rule.selectors.filter(used)
      if (kept.length === 0) rule.remove()
      else if (kept.length < rule.selectors.length) rule.selectors = kept
    },
  }
}
