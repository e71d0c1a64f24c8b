import { IconTerminal2 } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyButton } from './copy-button.tsx'

/** The command that does the same as the action beside it, folded away until somebody wants it. */
export function KubectlCommand({ command, open }: { readonly command: string; readonly open?: boolean }): ReactNode {
  const { t } = useTranslation()
  return (
    <details className="k-kubectl" open={open}>
      <summary>
        <IconTerminal2 aria-hidden size={16} /> {t('common.kubectl')}
      </summary>
      <div className="k-code">
        <pre tabIndex={0} aria-label={t('common.kubectl')}>
          <code>{command}</code>
        </pre>
        <CopyButton text={command} />
      </div>
    </details>
  )
}
