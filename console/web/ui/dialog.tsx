import { IconX } from '@tabler/icons-react'
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from './button.tsx'
import { classNames } from './class-names.ts'

interface DialogProps {
  readonly open: boolean
  readonly title: string
  readonly onClose: () => void
  readonly size?: 'normal' | 'wide'
  /** Buttons, the one that is meant last. */
  readonly footer?: ReactNode
  readonly children: ReactNode
}

/** A modal dialog: the browser's own, which keeps the focus inside, closes with Escape and gives the focus back. Its content is there only while open. */
export function Dialog({ open, title, onClose, size = 'normal', footer, children }: DialogProps): ReactNode {
  const { t } = useTranslation()
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    if (open) dialog.current?.showModal()
    else dialog.current?.close()
  }, [open])
  return (
    <dialog
      ref={dialog}
      className={classNames('k-dialog', size === 'wide' && 'k-dialog-wide')}
      aria-labelledby={heading}
      onClose={() => {
        if (open) onClose()
      }}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      {open && (
        <>
          <header className="k-dialog-header">
            <h2 id={heading}>{title}</h2>
            <Button
              variant="ghost"
              size="small"
              aria-label={t('common.close')}
              onClick={onClose}
              icon={<IconX aria-hidden />}
            />
          </header>
          <div className="k-dialog-body">{children}</div>
          {footer !== undefined && <footer className="k-dialog-footer">{footer}</footer>}
        </>
      )}
    </dialog>
  )
}

interface ConfirmDialogProps {
  readonly open: boolean
  readonly title: string
  readonly confirm: string
  readonly variant?: 'primary' | 'danger'
  readonly busy?: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Asks before something is done that cannot be taken back. Cancel comes first and has the focus. */
export function ConfirmDialog({
  open,
  title,
  confirm,
  variant = 'primary',
  busy = false,
  onConfirm,
  onClose,
  children,
}: ConfirmDialogProps): ReactNode {
  const { t } = useTranslation()
  return (
    <Dialog
      open={open}
      title={title}
      onClose={onClose}
      footer={
        <>
          {/* eslint-disable-next-line jsx-a11y/no-autofocus -- within a dialog that has just opened: what is safe gets the focus */}
          <Button onClick={onClose} autoFocus>
            {t('common.cancel')}
          </Button>
          <Button variant={variant} busy={busy} onClick={onConfirm}>
            {confirm}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  )
}
