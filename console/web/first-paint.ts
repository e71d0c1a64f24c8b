/*
 * Runs in the head, before anything is painted: sets the theme that was chosen last in this browser, or else the one of the system. It is built into a
 * script of its own (bundling/first-paint-plugin.ts) and imports nothing. preferences.ts writes what it reads.
 */
let chosen: string | null = null
try {
  chosen = localStorage.getItem('keelson.theme')
} catch {
  // Storage is closed to us: the system decides.
}
const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.dataset['bsTheme'] = dark ? 'dark' : 'light'

export {}
