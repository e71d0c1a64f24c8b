import type { Condition } from '@keelson/api'
import { IconCircleCheck, IconCircleX, IconHelpCircle, IconHourglass } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Ago, Badge, Card, Empty, Table } from '../../ui/index.ts'

const looks = {
  True: { tone: 'good', icon: IconCircleCheck },
  False: { tone: 'bad', icon: IconCircleX },
  Unknown: { tone: 'neutral', icon: IconHelpCircle },
} as const

/** Online, Ready and whatever else is known, each with its reason. */
export function ConditionsCard({ conditions }: { readonly conditions: readonly Condition[] }): ReactNode {
  const { t } = useTranslation()
  if (conditions.length === 0) {
    return (
      <Card title={t('host.conditions')}>
        <Empty icon={IconHourglass} title={t('host.noConditions')}>
          {t('host.noConditionsHint')}
        </Empty>
      </Card>
    )
  }
  return (
    <Card flush title={t('host.conditions')}>
      <Table
        label={t('host.conditions')}
        rows={conditions}
        rowKey={({ type }) => type}
        columns={[
          { key: 'type', header: t('host.condition.type'), narrow: true, render: ({ type }) => type },
          {
            key: 'status',
            header: t('host.condition.status'),
            narrow: true,
            render: ({ status }) => <Badge {...looks[status]}>{t(`host.conditionState.${status}`)}</Badge>,
          },
          { key: 'reason', header: t('host.condition.reason'), narrow: true, render: ({ reason }) => reason },
          {
            key: 'message',
            header: t('host.condition.message'),
            render: ({ message }) => <span className="k-muted">{message}</span>,
          },
          {
            key: 'since',
            header: t('host.condition.since'),
            narrow: true,
            render: ({ lastTransitionTime }) => <Ago time={lastTransitionTime} />,
          },
        ]}
      />
    </Card>
  )
}
