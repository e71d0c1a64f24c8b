import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useSession } from '../session/session.ts'
import type { Reading } from './format.ts'

/** Language and time zone of whoever looks at the page. */
export function useReading(): Reading {
  const { i18n } = useTranslation()
  const timeZone = useSession()?.me?.preferences.timeZone ?? ''
  return useMemo(() => ({ language: i18n.language, timeZone }), [i18n.language, timeZone])
}
