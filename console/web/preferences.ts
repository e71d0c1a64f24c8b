import type { Preferences } from '../protocol/session.ts'

export const languages = ['en', 'zh-CN'] as const
export type Language = (typeof languages)[number]
export type Theme = Preferences['theme']

const keys = { theme: 'keelson.theme', language: 'keelson.language' } as const

/** Storage may be closed to the page (private windows, policies): what was chosen lasts as long as the page then. */
function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // See above.
  }
}

/** The language for a list of what the reader prefers, best first, as navigator.languages. Any Chinese is better read in Chinese than in English. */
export function languageFor(chosen: string | null, preferred: readonly string[]): Language {
  const known = languages.find((language) => language === chosen)
  if (known !== undefined) return known
  for (const tag of preferred) {
    if (/^zh\b/i.test(tag)) return 'zh-CN'
    if (/^en\b/i.test(tag)) return 'en'
  }
  return 'en'
}

export function presentLanguage(): Language {
  return languageFor(stored(keys.language), navigator.languages)
}

export function rememberLanguage(language: Language): void {
  store(keys.language, language)
}

export function presentTheme(): Theme {
  const theme = stored(keys.theme)
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

export function rememberTheme(theme: Theme): void {
  store(keys.theme, theme)
}
