import { IconAlertTriangle, IconCircleCheck, IconX } from '@tabler/icons-react'
import { useSyncExternalStore, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
}

const maxToasts = 4
const shownMilliseconds = 6_000

let toasts: readonly Toast[] = []
let announcement = ''
let nextId = 1
const listeners = new Set<() => void>()

function changed(): void {
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function dismiss(id: number): void {
  toasts = toasts.filter((toast) => toast.id !== id)
  changed()
}

/** Tells what has just happened, in a corner of the page. A good one goes by itself, a bad one stays until it is dismissed. */
export function showToast(text: string, tone: Toast['tone'] = 'good'): void {
  const id = nextId++
  toasts = [...toasts, { id, tone, text }].slice(-maxToasts)
  changed()
  if (tone === 'good') setTimeout(() => dismiss(id), shownMilliseconds)
}

/** Says something to screen readers alone. */
export function announce(text: string): void {
  announcement = text
  changed()
}

/** Where toasts and announcements appear; once in the frame. */
export function Toasts(): ReactNode {
  const { t } = useTranslation()
  const shown = useSyncExternalStore(subscribe, () => toasts)
  const said = useSyncExternalStore(subscribe, () => announcement)
  return (
    <>
      <div className="visually-hidden" aria-live="polite">
        {said}
      </div>
      <section className="k-toasts" aria-label={t('shell.notifications')} aria-live="polite">
        {shown.map(({ id, tone, text }) => (
          <div key={id} className={tone === 'good' ? 'k-toast k-toast-good' : 'k-toast k-toast-bad'}>
            {tone === 'good' ? <IconCircleCheck aria-hidden size={18} /> : <IconAlertTriangle aria-hidden size={18} />}
            <span>{text}</span>
            <button
              type="button"
              className="k-input-button"
              aria-label={t('shell.dismiss')}
              onClick={() => dismiss(id)}
            >
              <IconX aria-hidden size={16} />
            </button>
          </div>
        ))}
      </section>
    </>
  )
}
