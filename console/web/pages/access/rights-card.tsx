import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { setGrants, type Account } from '../../../protocol/access.ts'
import { call } from '../../call.ts'
import { setGrantsCommands } from '../../kubectl/access.ts'
import { commandText } from '../../kubectl/command.ts'
import { Button, Card, KubectlCommand, Notice, ProblemNotice, showToast } from '../../ui/index.ts'
import { draftOf, readDraft } from './grants-draft.ts'
import { GrantsEditor } from './grants-editor.tsx'
import { useAccountChange } from './queries.ts'

/** What an account may, to be changed. What is edited is kept although the account is fetched anew meanwhile. */
export function RightsCard({ account }: { readonly account: Account }): ReactNode {
  const { t } = useTranslation()
  const { name, grants: before, others } = account
  const [edited, setEdited] = useState<ReturnType<typeof draftOf>>()
  const [tried, setTried] = useState(false)
  const draft = edited ?? draftOf(before)
  const { grants, problems } = readDraft(draft)
  const commands = problems.length > 0 ? [] : setGrantsCommands(name, before, grants)
  const change = useAccountChange(
    () => call(setGrants, { params: { name }, body: { grants } }),
    () => {
      setEdited(undefined)
      setTried(false)
      showToast(t('access.rightsSaved', { name }))
    },
  )
  const isChanged = commands.length > 0 || problems.length > 0
  return (
    <Card
      title={t('access.rights')}
      subtitle={t('access.rightsHint')}
      footer={
        <div className="k-stack">
          <ProblemNotice error={change.error} />
          <div className="k-row">
            <Button
              variant="primary"
              busy={change.isPending}
              disabled={!isChanged}
              onClick={() => {
                setTried(true)
                if (problems.length === 0) change.mutate()
              }}
            >
              {t('access.saveRights')}
            </Button>
            <Button
              disabled={edited === undefined}
              onClick={() => {
                setEdited(undefined)
                setTried(false)
                change.reset()
              }}
            >
              {t('access.discard')}
            </Button>
          </div>
          {commands.length > 0 && <KubectlCommand command={commands.map(commandText).join('\n')} />}
        </div>
      }
    >
      <div className="k-stack">
        {others.length > 0 && (
          <Notice tone="warning" icon={IconInfoCircle}>
            {t('access.others', { count: others.length })}
            <ul className="k-causes">
              {others.map((other) => (
                <li key={other}>
                  <code>{other}</code>
                </li>
              ))}
            </ul>
          </Notice>
        )}
        <GrantsEditor draft={draft} problems={tried ? problems : []} onChange={setEdited} />
        {draft.roles['keelson-access'].place !== 'Nowhere' && (
          <Notice tone="warning" icon={IconAlertTriangle}>
            {t('access.accessWarning')}
          </Notice>
        )}
      </div>
    </Card>
  )
}
