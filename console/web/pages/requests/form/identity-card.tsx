import { IconLock } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Label } from '../../../../protocol/names.ts'
import { usePermissions } from '../../../session/session.ts'
import { Card, Notice, TextInput } from '../../../ui/index.ts'
import { useEditing } from './editing.tsx'

export function IdentityCard(): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  const { namespace } = form
  const { data } = usePermissions(Label.safeParse(namespace).success ? namespace : undefined)
  const mayWrite = data === undefined || data.writeRequests === 'All' || data.writeRequests.includes(namespace)
  return (
    <Card title={t('compose.identity.title')}>
      <div className="k-pair">
        <TextInput
          label={t('compose.identity.name')}
          hint={t('compose.identity.nameHint')}
          monospace
          value={form.name}
          error={errorAt('name')}
          onChange={(name) => change({ name })}
        />
        <TextInput
          label={t('compose.identity.namespace')}
          hint={t('compose.identity.namespaceHint')}
          monospace
          value={namespace}
          error={errorAt('namespace')}
          onChange={(next) => change({ namespace: next })}
        />
      </div>
      {!mayWrite && (
        <Notice tone="warning" icon={IconLock}>
          {t('compose.mayNotWrite', { namespace })}
        </Notice>
      )}
    </Card>
  )
}
