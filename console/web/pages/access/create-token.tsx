import { IconAlertTriangle, IconDownload } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { createToken, type Token } from '../../../protocol/access.ts'
import { call, type Answer } from '../../call.ts'
import { expiringTokenCommands, longLivedTokenCommands } from '../../kubectl/access.ts'
import { commandText } from '../../kubectl/command.ts'
import { Button, Choice, CopyButton, Dialog, KubectlCommand, Notice, ProblemNotice, Select } from '../../ui/index.ts'
import { tokensQuery } from './queries.ts'
import { saveFile } from './save-file.ts'

const lives = { hour: 3_600, day: 86_400, month: 2_592_000, quarter: 7_776_000, year: 31_536_000 } as const
type Life = keyof typeof lives

interface CreateTokenProps {
  readonly name: string
  readonly onClose: () => void
}

/** Makes a token, then shows it this once. */
export function CreateToken({ name, onClose }: CreateTokenProps): ReactNode {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [type, setType] = useState<Token['type']>('Expiring')
  const [life, setLife] = useState<Life>('month')
  const creation = useMutation({
    mutationFn: () => {
      const body = type === 'Expiring' ? { type, expirationSeconds: lives[life] } : { type }
      return call(createToken, { params: { name }, body })
    },
    onSuccess: async () => client.invalidateQueries({ queryKey: tokensQuery(name).queryKey }),
  })
  if (creation.data !== undefined) return <GivenToken name={name} given={creation.data} onClose={onClose} />
  const secret = `${name}-token`
  const commands =
    type === 'Expiring' ? expiringTokenCommands(name, secret, lives[life]) : longLivedTokenCommands(name, secret)
  return (
    <Dialog
      open
      title={t('access.token.createTitle', { name })}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button variant="primary" busy={creation.isPending} onClick={() => creation.mutate()}>
            {t('access.token.create')}
          </Button>
        </>
      }
    >
      <div className="k-stack">
        <Choice
          legend={t('access.token.kind')}
          value={type}
          options={(['Expiring', 'LongLived'] as const).map((value) => ({
            value,
            label: t(`access.token.${value}`),
            description: t(`access.token.kindHint.${value}`),
          }))}
          onChange={setType}
        />
        {type === 'Expiring' && (
          <Select
            label={t('access.token.life')}
            hint={t('access.token.lifeHint')}
            value={life}
            options={(Object.keys(lives) as Life[]).map((value) => ({
              value,
              label: t(`access.token.lives.${value}`),
            }))}
            onChange={setLife}
          />
        )}
        <ProblemNotice error={creation.error} />
        <KubectlCommand command={commands.map(commandText).join('\n')} />
      </div>
    </Dialog>
  )
}

interface GivenTokenProps extends CreateTokenProps {
  readonly given: Answer<typeof createToken>
}

function GivenToken({ name, given, onClose }: GivenTokenProps): ReactNode {
  const { t } = useTranslation()
  const file = `keelson-${name}.kubeconfig`
  return (
    <Dialog
      open
      title={t('access.token.givenTitle', { name })}
      onClose={onClose}
      footer={
        <Button variant="primary" onClick={onClose}>
          {t('access.token.done')}
        </Button>
      }
    >
      <div className="k-stack">
        <Notice tone="warning" icon={IconAlertTriangle} alert>
          {t('access.token.once')}
        </Notice>
        <div>
          <div className="form-label">{t('access.token.value')}</div>
          <div className="k-code">
            <pre tabIndex={0} aria-label={t('access.token.value')} className="k-token">
              <code>{given.value}</code>
            </pre>
            <CopyButton text={given.value} />
          </div>
        </div>
        <div className="k-row">
          <Button icon={<IconDownload aria-hidden size={16} />} onClick={() => saveFile(file, given.kubeconfig)}>
            {t('access.token.download')}
          </Button>
          <span className="k-muted">{t('access.token.use', { file })}</span>
        </div>
      </div>
    </Dialog>
  )
}
