import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { getRequest } from '../../../../protocol/requests.ts'
import { deadlineOf } from '../../../../protocol/steering.ts'
import { call } from '../../../call.ts'
import { dropDraft, keepDraft, readDraft } from '../../../request-form/draft.ts'
import { presets, withPreset } from '../../../request-form/presets.ts'
import { emptyForm, type RequestForm } from '../../../request-form/request-form.ts'
import { formOf } from '../../../request-form/spec-of-form.ts'
import { suggestedName } from '../../../request-form/suggested-name.ts'
import { partsOf, type ComposeStart } from '../list-requests.ts'

export interface FormState {
  readonly form: RequestForm
  readonly change: (changed: Partial<RequestForm>) => void
  /** From nothing, draft and all. */
  readonly startAnew: () => void
  /** What was typed before the page was loaded is here again. */
  readonly isDraft: boolean
  /** Goes up whenever the form is another one, not the same one changed: parts with a memory of their own begin anew. */
  readonly edition: number
}

const beginning = withPreset(emptyForm, presets[0]!, 'GET')

/** What is written on the page: kept over a reload, and named after what it does until somebody names it. */
export function useForm(initial: RequestForm | undefined): FormState {
  const [draft] = useState(() => (initial === undefined ? readDraft(sessionStorage) : undefined))
  const [form, setForm] = useState(initial ?? draft ?? beginning)
  const [isDraft, setDraft] = useState(draft !== undefined)
  const [isNamed, setNamed] = useState(draft !== undefined && draft.name !== '')
  const [edition, setEdition] = useState(0)
  const [numbers, setNumbers] = useState(drawNumbers)

  const named = useMemo(
    () => (isNamed ? form : { ...form, name: suggestedName(form, repeating(numbers)) }),
    [form, isNamed, numbers],
  )
  useEffect(() => keepDraft(sessionStorage, isNamed ? form : { ...form, name: '' }), [form, isNamed])

  const { name } = named
  const change = useCallback(
    (changed: Partial<RequestForm>) => {
      // A name that was taken away is suggested again.
      if (changed.name !== undefined && changed.name !== name) setNamed(changed.name !== '')
      setForm((now) => ({ ...now, ...changed }))
    },
    [name],
  )
  const startAnew = useCallback(() => {
    dropDraft(sessionStorage)
    setForm(beginning)
    setNamed(false)
    setDraft(false)
    setNumbers(drawNumbers())
    setEdition((now) => now + 1)
  }, [])
  return { form: named, change, startAnew, isDraft, edition }
}

/** The form that the address asks for; `undefined` with `isLoading` false: none, so a draft or an empty one. */
export function useStartingForm({ hosts, copy }: ComposeStart): {
  readonly isLoading: boolean
  readonly initial: RequestForm | undefined
  readonly failed: boolean
} {
  const key = partsOf(copy ?? '/')
  const { data, isPending, isError } = useQuery({
    queryKey: ['request', key.namespace, key.name],
    queryFn: ({ signal }) => call(getRequest, { params: key }, signal),
    enabled: copy !== undefined,
    retry: false,
    staleTime: 0,
  })
  const initial = useMemo(() => {
    if (data !== undefined) {
      const spec = { ...data.spec, activeDeadlineSeconds: deadlineOf(data) }
      const form = formOf(spec, { namespace: key.namespace, name: '' })
      return hosts === undefined ? form : { ...form, who: 'Names' as const, names: hosts, selector: '' }
    }
    return hosts === undefined ? undefined : { ...beginning, names: hosts }
  }, [data, hosts, key.namespace])
  return { isLoading: copy !== undefined && isPending, initial, failed: isError }
}

function drawNumbers(): readonly number[] {
  return [Math.random(), Math.random(), Math.random(), Math.random()]
}

/** The same numbers each time, so that the end of a suggested name does not change while one types. */
function repeating(numbers: readonly number[]): () => number {
  let next = 0
  return () => numbers[next++ % numbers.length]!
}
