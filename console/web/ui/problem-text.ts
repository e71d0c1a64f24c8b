import type { TFunction } from 'i18next'
import type { en } from '../i18n/en.ts'
import { texts } from '../i18n/setup.ts'
import type { ProblemError } from '../problem-error.ts'

/** What a problem says to a person, in their language where its code is known, else in the words of the server. */
export function problemText(
  t: TFunction,
  { code, message, retryAfter }: Pick<ProblemError, 'code' | 'message' | 'retryAfter'>,
): string {
  const key = `problems.${code}`
  if (!texts.exists(key)) return message
  return t(key as `problems.${keyof typeof en.problems}`, { message, seconds: retryAfter ?? 60 })
}
