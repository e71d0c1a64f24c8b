import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Label } from '../../../../protocol/names.ts'
import { Card, TextInput } from '../../../ui/index.ts'
import { useEditing } from './editing.tsx'
import { MayNotWrite } from './refused.tsx'

export function IdentityCard(): ReactNode {
  const { t } = useTranslation()
  const { form, change, errorAt } = useEditing()
  const { namespace } = form
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
      {Label.safeParse(namespace).success && <MayNotWrite namespace={namespace} />}
    </Card>
  )
}
