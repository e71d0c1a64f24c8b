import {
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconHelpCircle,
  IconShieldX,
  type TablerIcon,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { AuditEntry } from '../../../protocol/audit.ts'
import { Badge, type Tone } from '../../ui/index.ts'

const looks: Readonly<Record<AuditEntry['outcome'], readonly [Tone, TablerIcon]>> = {
  Pending: ['neutral', IconClock],
  Succeeded: ['good', IconCircleCheck],
  Denied: ['warning', IconShieldX],
  Failed: ['bad', IconCircleX],
  Unknown: ['neutral', IconHelpCircle],
}

export function AuditOutcomeBadge({ outcome }: Pick<AuditEntry, 'outcome'>): ReactNode {
  const { t } = useTranslation()
  const [tone, icon] = looks[outcome]
  return (
    <Badge tone={tone} icon={icon}>
      {t(`audit.outcomes.${outcome}`)}
    </Badge>
  )
}
