import { createInstance, type i18n } from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { Language } from '../preferences.ts'
import type { en } from './en.ts'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en }
  }
}

const loaders: Readonly<Record<Language, () => Promise<object>>> = {
  en: async () => (await import('./en.ts')).en,
  'zh-CN': async () => (await import('./zh-CN.ts')).zhCN,
}

export const texts: i18n = createInstance()

/** Loads the language and shows everything in it. */
export async function showLanguage(language: Language): Promise<void> {
  const resource = await loaders[language]()
  if (!texts.isInitialized) {
    await texts.use(initReactI18next).init({
      lng: language,
      resources: { [language]: { translation: resource } },
      // Every key is there in every language, by a test: nothing to fall back to.
      fallbackLng: false,
      // React escapes.
      interpolation: { escapeValue: false },
      returnNull: false,
    })
  } else {
    texts.addResourceBundle(language, 'translation', resource)
    await texts.changeLanguage(language)
  }
  document.documentElement.lang = language
}
