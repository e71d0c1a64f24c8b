import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteAccount, type Account } from '../../../protocol/access.ts'
import { call } from '../../call.ts'
import { deleteAccountCommands } from '../../kubectl/access.ts'
import { commandText } from '../../kubectl/command.ts'
import { Button, Card, Dialog, KubectlCommand, ProblemNotice, showToast, TextInput } from '../../ui/index.ts'
import { accountQuery, accountsQuery } from './queries.ts'

/** Deletes an account, after its name was typed. */
export function DeleteCard({ account: { name, type, others } }: { readonly account: Account }): ReactNode {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState('')
  const deletion = useMutation({
    mutationFn: () => call(deleteAccount, { params: { name } }),
    onSuccess: async () => {
      showToast(t('access.deleted', { name }))
      await navigate({ to: '/access' })
      client.removeQueries({ queryKey: accountQuery(name).queryKey })
      await client.invalidateQueries({ queryKey: accountsQuery.queryKey })
    },
  })
  const close = () => {
    setAsking(false)
    setTyped('')
    deletion.reset()
  }
  return (
    <>
      <Card
        title={t('access.deleteCard')}
        subtitle={t('access.deleteHint')}
        actions={
          <Button variant="danger" onClick={() => setAsking(true)}>
            {t('common.delete')}
          </Button>
        }
      >
        <KubectlCommand command={deleteAccountCommands(name).map(commandText).join('\n')} />
        {type === 'Person' && <p className="k-muted k-flush">{t('access.passwordStays')}</p>}
      </Card>
      <Dialog
        open={asking}
        title={t('access.deleteTitle', { name })}
        onClose={close}
        footer={
          <>
            <Button onClick={close}>{t('common.cancel')}</Button>
            <Button
              variant="danger"
              type="submit"
              form="delete-account"
              busy={deletion.isPending}
              disabled={typed !== name}
            >
              {t('common.delete')}
            </Button>
          </>
        }
      >
        <form
          id="delete-account"
          className="k-stack"
          onSubmit={(event) => {
            event.preventDefault()
            if (typed === name) deletion.mutate()
          }}
        >
          <p className="k-flush">{t('access.deleteText')}</p>
          {others.length > 0 && <p className="k-flush">{t('access.deleteOthers', { names: others.join(', ') })}</p>}
          <TextInput label={t('access.typeName', { name })} monospace value={typed} onChange={setTyped} />
          <ProblemNotice error={deletion.error} />
        </form>
      </Dialog>
    </>
  )
}
