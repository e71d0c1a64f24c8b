import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { setPreferences } from '../../../protocol/session.ts'
import { call } from '../../call.ts'
import { languageNames, themes } from '../../frame/preference-menus.tsx'
import { texts } from '../../i18n/setup.ts'
import { languages } from '../../preferences.ts'
import { takeMe, useMe } from '../../session/session.ts'
import { formatMoment } from '../../time/format.ts'
import { useNow } from '../../time/use-now.ts'
import { Button, Card, Choice, Page, ProblemNotice, Select, showToast, TextInput, useForm } from '../../ui/index.ts'
import { ChangePasswordForm } from './change-password-form.tsx'
import { SessionsCard } from './sessions-card.tsx'

/** Whoever is signed in: how they read the pages, their password, where they are signed in. */
export function ProfilePage(): ReactNode {
  const { t } = useTranslation()
  const me = useMe()
  return (
    <Page title={t('profile.title')} subtitle={t('profile.account', { name: me.name })}>
      <div className="k-columns">
        {/* What the menus above change is taken over here at once. */}
        <PersonCard key={JSON.stringify(me.preferences)} />
        <Card title={t('profile.password')}>
          <ChangePasswordForm />
        </Card>
      </div>
      <SessionsCard />
    </Page>
  )
}

const timeZones = Intl.supportedValuesOf('timeZone').map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') }))

function PersonCard(): ReactNode {
  const { t } = useTranslation()
  const me = useMe()
  const [displayName, setDisplayName] = useState(me.displayName)
  const [language, setLanguage] = useState(me.preferences.language)
  const [theme, setTheme] = useState(me.preferences.theme)
  const [timeZone, setTimeZone] = useState(me.preferences.timeZone)
  const form = useForm(async () => {
    await takeMe(await call(setPreferences, { body: { displayName: displayName.trim(), language, theme, timeZone } }))
    // In the language that was just chosen.
    showToast(texts.t('profile.saved'))
  })
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const known = timeZones.some(({ value }) => value === timeZone)
  return (
    <Card title={t('profile.person')}>
      <form onSubmit={form.submit} className="k-form">
        <TextInput
          label={t('profile.displayName')}
          hint={t('profile.displayNameHint')}
          name="displayName"
          autoComplete="name"
          maxLength={128}
          required
          value={displayName}
          onChange={setDisplayName}
        />
        <Choice
          legend={t('shell.language')}
          look="segments"
          value={language}
          onChange={setLanguage}
          options={languages.map((value) => ({ value, label: <span lang={value}>{languageNames[value]}</span> }))}
        />
        <Choice
          legend={t('shell.theme')}
          look="segments"
          value={theme}
          onChange={setTheme}
          options={themes.map((value) => ({ value, label: t(`shell.themes.${value}`) }))}
        />
        <Select
          label={t('profile.timeZone')}
          hint={<ZoneClock timeZone={timeZone} />}
          value={timeZone}
          onChange={setTimeZone}
          options={[
            { value: '', label: t('profile.timeZoneOfBrowser', { zone }) },
            ...(known || timeZone === '' ? [] : [{ value: timeZone, label: timeZone }]),
            ...timeZones,
          ]}
        />
        <ProblemNotice error={form.error} />
        <div>
          <Button type="submit" variant="primary" busy={form.busy}>
            {t('common.save')}
          </Button>
        </div>
      </form>
    </Card>
  )
}

/** What time it is there: whoever chooses a zone sees at once whether it is theirs. */
function ZoneClock({ timeZone }: { readonly timeZone: string }): ReactNode {
  const { t, i18n } = useTranslation()
  const now = useNow(1_000)
  const time = formatMoment(new Date(now).toISOString(), { language: i18n.language, timeZone })
  return t('profile.timeZoneHint', { time })
}
