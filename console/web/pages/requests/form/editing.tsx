import type { TFunction } from 'i18next'
import { createContext, use } from 'react'
import { problemsOf, type FormProblem, type ProblemCode } from '../../../request-form/check-form.ts'
import type { ProblemError } from '../../../problem-error.ts'
import { refusalsOf, type Refusal } from '../../../request-form/refusal.ts'
import { emptyForm, type FormField, type RequestForm } from '../../../request-form/request-form.ts'
import { problemText } from '../../../ui/index.ts'

/** What is being written, for the parts of the page that show and change it. */
export interface Editing {
  readonly form: RequestForm
  readonly change: (changed: Partial<RequestForm>) => void
  /** What is wrong with a field, in a sentence. */
  readonly errorAt: (field: FormField) => string | undefined
}

export const EditingContext = createContext<Editing | undefined>(undefined)

/** Only within the page that provides it. */
export function useEditing(): Editing {
  const editing = use(EditingContext)
  if (editing === undefined) throw new Error('nothing is being written here')
  return editing
}

/** What is only not there yet: nobody is told of it before he says that he is ready. */
const incomplete: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'HostsMissing',
  'SelectorMissing',
  'KeyRequired',
  'ValueRequired',
  'SecretRefused',
  'NothingToDo',
])

function isTold({ code, field }: FormProblem, form: RequestForm): boolean {
  if (incomplete.has(code)) return false
  return !(field === 'api' || field === 'port' || field === 'name' || field === 'namespace') || form[field] !== ''
}

function problemSentence(t: TFunction, { code, values }: FormProblem): string {
  return t(`compose.problem.${code}`, { min: 0, max: 0, character: '', key: '', part: '', ...values })
}

export function refusalSentence(t: TFunction, refusal: Refusal): string {
  switch (refusal.kind) {
    case 'Invalid':
      return refusal.message
    case 'NameTaken':
      return t('compose.refused.NameTaken')
    case 'HostForbidden': {
      const { user, verb, area, host } = refusal
      if (host === undefined) return t('compose.refused.HostsForbidden', { user, verb, area })
      return t('compose.refused.HostForbidden', { user, verb, area, host })
    }
    case 'SecretForbidden': {
      const { user, secret, namespace } = refusal
      return t('compose.refused.SecretForbidden', { user, secret, namespace })
    }
    case 'RequestForbidden': {
      const { user, verb, namespace } = refusal
      return t('compose.refused.RequestForbidden', { user, verb, namespace })
    }
  }
}

/** What a call about a request failed with, in a sentence. */
export function refusedText(t: TFunction, problem: ProblemError): string {
  if (problem.kubernetes?.status !== 403) return problemText(t, problem)
  return refusalsOf(problem, emptyForm)
    .map((refusal) => refusalSentence(t, refusal))
    .join(' ')
}

/** What is said at a field: what the server refused, until the form is changed, else what is wrong as it is typed. */
export function errorsByField(
  t: TFunction,
  form: RequestForm,
  problems: readonly FormProblem[],
  refusals: readonly Refusal[],
  isReady: boolean,
): (field: FormField) => string | undefined {
  return (field) => {
    const refused = refusals.filter((refusal) => refusal.field === field)
    if (refused.length > 0) return refused.map((refusal) => refusalSentence(t, refusal)).join(' ')
    const [problem] = problemsOf(problems, field).filter((one) => isReady || isTold(one, form))
    return problem === undefined ? undefined : problemSentence(t, problem)
  }
}
