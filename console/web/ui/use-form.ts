import { useState, type SubmitEvent } from 'react'

interface Form {
  readonly busy: boolean
  /** What the last try failed with. */
  readonly error: unknown
  readonly submit: (event: SubmitEvent) => void
}

/** A form whose work is `send`: one at a time, and what it throws is shown. */
export function useForm(send: () => Promise<void>): Form {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    send()
      .catch(setError)
      .finally(() => setBusy(false))
  }
  return { busy, error, submit }
}
