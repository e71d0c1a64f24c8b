import { RequestForm } from './request-form.ts'

/** The part of `Storage` that is used: `sessionStorage`, which ends with the tab. */
export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const key = 'keelson.draft'

/** Keeps what is typed for when the page is loaded again. A full storage, or none, keeps nothing and hinders nobody. */
export function keepDraft(storage: DraftStorage, form: RequestForm): void {
  // What was typed before it was decided that the value is secret stays nowhere.
  const parameters = form.parameters.map((row) => (row.source === 'Secret' ? { ...row, value: '' } : row))
  try {
    storage.setItem(key, JSON.stringify({ ...form, parameters }))
  } catch {
    dropDraft(storage)
  }
}

/** `undefined`: there is none, or one of another version of the console. */
export function readDraft(storage: DraftStorage): RequestForm | undefined {
  try {
    return RequestForm.safeParse(JSON.parse(storage.getItem(key) ?? 'null')).data
  } catch {
    return undefined
  }
}

export function dropDraft(storage: DraftStorage): void {
  try {
    storage.removeItem(key)
  } catch {
    // A browser that lets nobody store anything has no draft either.
  }
}
