import type { Host } from '@keelson/api'
import { IconPlugConnectedX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Card, Empty, Facts } from '../../ui/index.ts'

/** What the agent told of its host. */
export function FactsCard({ host: { status } }: { readonly host: Host }): ReactNode {
  const { t } = useTranslation()
  const facts = status?.facts
  if (facts === undefined) {
    return (
      <Card title={t('host.facts')}>
        <Empty icon={IconPlugConnectedX} title={t('host.noFacts')}>
          {t('host.noFactsHint')}
        </Empty>
      </Card>
    )
  }
  const code = (text: string) => <span className="k-mono">{text}</span>
  return (
    <Card title={t('host.facts')} subtitle={t('host.factsHint')}>
      <Facts
        items={[
          [t('host.fact.os'), facts.os.name],
          [t('host.fact.kernel'), code(facts.kernelVersion)],
          [t('host.fact.architecture'), code(facts.architecture)],
          [t('host.fact.hostname'), code(facts.hostname)],
          [t('host.fact.agent'), code(facts.agentVersion)],
          [t('host.fact.protocol'), code(String(facts.protocol))],
          [t('host.fact.types'), code(Object.keys(facts.types).toSorted().join(' '))],
          [t('host.fact.boot'), code(facts.bootID)],
        ]}
      />
    </Card>
  )
}
