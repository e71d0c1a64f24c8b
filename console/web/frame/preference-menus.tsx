import { IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { setPreferences, type Preferences } from '../../protocol/session.ts'
import { call } from '../call.ts'
import { showLanguage } from '../i18n/setup.ts'
import { languages, presentTheme, rememberLanguage, type Language } from '../preferences.ts'
import { problemOf } from '../problem-error.ts'
import { takeMe, useSession } from '../session/session.ts'
import { chooseTheme } from '../theme.ts'
import { Menu } from '../ui/menu.tsx'
import { problemText } from '../ui/problem-text.ts'
import { showToast } from '../ui/toasts.tsx'

/** Each in its own words: whoever does not read the present language finds theirs. */
export const languageNames: Readonly<Record<Language, string>> = { en: 'English', 'zh-CN': '简体中文' }

export const themes = ['light', 'dark', 'system'] as const
const themeIcons = { light: IconSun, dark: IconMoon, system: IconDeviceDesktop } as const

/** Shows it at once; who is signed in has it everywhere afterwards. */
function useChoose(): (change: Partial<Preferences>) => void {
  const { t } = useTranslation()
  const me = useSession()?.me
  return (change) => {
    if (change.theme !== undefined) chooseTheme(change.theme)
    if (change.language !== undefined) {
      rememberLanguage(change.language)
      void showLanguage(change.language)
    }
    if (me === undefined || me.mustChangePassword) return
    call(setPreferences, { body: change })
      .then(takeMe)
      .catch((error: unknown) => showToast(problemText(t, problemOf(error)), 'bad'))
  }
}

export function LanguageMenu(): ReactNode {
  const { t, i18n } = useTranslation()
  const choose = useChoose()
  return (
    <Menu
      button={<IconLanguage aria-hidden size={20} />}
      label={t('shell.language')}
      buttonClassName="k-icon-button"
      align="end"
    >
      {(close) =>
        languages.map((language) => (
          <button
            key={language}
            type="button"
            className="k-menu-item"
            lang={language}
            aria-pressed={i18n.language === language}
            onClick={() => {
              choose({ language })
              close()
            }}
          >
            {languageNames[language]}
          </button>
        ))
      }
    </Menu>
  )
}

export function ThemeMenu(): ReactNode {
  const { t } = useTranslation()
  const choose = useChoose()
  const saved = useSession()?.me?.preferences.theme
  const [chosen, setChosen] = useState(presentTheme())
  const theme = saved ?? chosen
  const Present = themeIcons[theme]
  return (
    <Menu
      button={<Present aria-hidden size={20} />}
      label={t('shell.theme')}
      buttonClassName="k-icon-button"
      align="end"
    >
      {(close) =>
        themes.map((each) => {
          const Icon = themeIcons[each]
          return (
            <button
              key={each}
              type="button"
              className="k-menu-item"
              aria-pressed={theme === each}
              onClick={() => {
                setChosen(each)
                choose({ theme: each })
                close()
              }}
            >
              <Icon aria-hidden size={16} /> {t(`shell.themes.${each}`)}
            </button>
          )
        })
      }
    </Menu>
  )
}
