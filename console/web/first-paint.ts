/*
 * Runs in the head, before any module and before anything is painted. It is built into a script of its own (bundling/first-paint-plugin.ts) and imports
 * nothing.
 */

// zod tries `new Function` once, to learn whether it may, as soon as a schema is made: the Content-Security-Policy would report it.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })

// The theme that was chosen last in this browser (preferences.ts remembers it), or else that of the system.
let chosen: string | null = null
try {
  chosen = localStorage.getItem('keelson.theme')
} catch {
  // Storage is closed to us: the system decides.
}
const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.dataset['bsTheme'] = dark ? 'dark' : 'light'

export {}
