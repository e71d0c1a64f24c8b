import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'
import { announce } from './toasts.tsx'

/** Puts a text on the clipboard, and says so where it was clicked. */
export function CopyButton({ text, label }: { readonly text: string; readonly label?: string }): ReactNode {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    announce(t('common.copied'))
  }
  return (
    <Button
      size="small"
      variant="ghost"
      icon={copied ? <IconCheck aria-hidden size={16} /> : <IconCopy aria-hidden size={16} />}
      // Without the right to the clipboard the text is still there to be selected.
      onClick={() => void copy().catch(() => undefined)}
    >
      {copied ? t('common.copied') : (label ?? t('common.copy'))}
    </Button>
  )
}
