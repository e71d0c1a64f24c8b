import { presentTheme, rememberTheme, type Theme } from './preferences.ts'

const darkSystem = matchMedia('(prefers-color-scheme: dark)')

function paint(theme: Theme): void {
  const dark = theme === 'dark' || (theme === 'system' && darkSystem.matches)
  document.documentElement.dataset['bsTheme'] = dark ? 'dark' : 'light'
}

/** Sets the theme and remembers it: first-paint.ts reads it before the next first paint. */
export function chooseTheme(theme: Theme): void {
  rememberTheme(theme)
  paint(theme)
}

darkSystem.addEventListener('change', () => paint(presentTheme()))
