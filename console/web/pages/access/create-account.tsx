import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { createAccount, type Account } from '../../../protocol/access.ts'
import { Label } from '../../../protocol/names.ts'
import { call } from '../../call.ts'
import { createAccountCommand } from '../../kubectl/access.ts'
import { commandText } from '../../kubectl/command.ts'
import { problemOf } from '../../problem-error.ts'
import { Button, Choice, Dialog, KubectlCommand, ProblemNotice, TextInput } from '../../ui/index.ts'
import { draftOf, readDraft } from './grants-draft.ts'
import { GrantsEditor } from './grants-editor.tsx'
import { FirstPasswordField, isTooShort, randomPassword } from './password-field.tsx'
import { useAccountChange } from './queries.ts'

interface CreateAccountProps {
  readonly onClose: () => void
  readonly onCreated: (account: Account) => void
}

/** Makes a person or a script. Mounted while it is open, so that it begins anew each time. */
export function CreateAccount({ onClose, onCreated }: CreateAccountProps): ReactNode {
  const { t } = useTranslation()
  const [type, setType] = useState<Account['type']>('Person')
  const [name, setName] = useState('')
  const [displayName, setDisplayName] = useState('')
  const [password, setPassword] = useState(randomPassword)
  const [draft, setDraft] = useState(() => draftOf([]))
  const [tried, setTried] = useState(false)
  const { grants, problems } = readDraft(draft)
  const wanted = { name, type, displayName: displayName.trim() || name }
  const creation = useAccountChange(
    () => call(createAccount, { body: { ...wanted, grants, ...(type === 'Person' && { password }) } }),
    onCreated,
  )
  const refused = creation.error === null ? undefined : problemOf(creation.error)
  const nameWrong = !Label.safeParse(name).success
  const tooShort = type === 'Person' && isTooShort(password)
  const submit = () => {
    setTried(true)
    if (!nameWrong && !tooShort && problems.length === 0) creation.mutate()
  }
  return (
    <Dialog
      open
      size="wide"
      title={t('access.create')}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button variant="primary" type="submit" form="create-account" busy={creation.isPending}>
            {t('common.create')}
          </Button>
        </>
      }
    >
      <form
        id="create-account"
        className="k-stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <Choice
          legend={t('access.typeOf')}
          value={type}
          options={(['Person', 'Script'] as const).map((value) => ({
            value,
            label: t(`access.type.${value}`),
            description: t(`access.typeHint.${value}`),
          }))}
          onChange={setType}
        />
        <div className="k-columns">
          <TextInput
            label={t('common.name')}
            hint={t('access.nameHint')}
            name="name"
            monospace
            required
            maxLength={63}
            value={name}
            error={
              (tried || name !== '') && nameWrong
                ? t('access.nameRefused')
                : refused?.code === 'AccountExists'
                  ? t('problems.AccountExists')
                  : undefined
            }
            onChange={setName}
          />
          <TextInput
            label={t('access.displayName')}
            hint={t('access.displayNameHint')}
            name="displayName"
            optional
            maxLength={128}
            value={displayName}
            onChange={setDisplayName}
          />
        </div>
        {type === 'Person' && (
          <FirstPasswordField
            value={password}
            error={tried && tooShort ? t('access.passwordTooShort') : undefined}
            onChange={setPassword}
          />
        )}
        <GrantsEditor draft={draft} problems={tried ? problems : []} onChange={setDraft} />
        <ProblemNotice error={creation.error} />
        {!nameWrong && (
          <div>
            <KubectlCommand command={commandText(createAccountCommand(wanted, grants))} />
            {type === 'Person' && <p className="k-muted">{t('access.passwordNotInKubernetes')}</p>}
          </div>
        )}
      </form>
    </Dialog>
  )
}
