import { crossCertify, makeRoot, type Root } from './root.ts'
import { advance, phaseOf, type Rotation, type Step } from './rotation.ts'

/** A root whose key is gone; its cross-certificate (PEM) binds the current root's key to its name. */
type PreviousRoot = { readonly certificate: string; readonly cross: string }

/** The roots of the authority: what the Secret holds. */
export type RootSet = {
  readonly current: Root
  /** While it is being announced. */
  readonly next?: Root
  /** While certificates of it are still about. */
  readonly previous?: PreviousRoot
}

/** The roots as a rotation of what stands for each of them. */
export function rotationOf<T>({ current, next, previous }: RootSet, of: (certificate: string) => T): Rotation<T> {
  return {
    current: of(current.certificate),
    ...(next === undefined ? {} : { next: of(next.certificate) }),
    ...(previous === undefined ? {} : { previous: of(previous.certificate) }),
  }
}

/** The roots after a step. Once the next root signs, the key of the one before it is no more. */
export async function takeStep(roots: RootSet, step: Step, now: Date): Promise<RootSet> {
  const { current, next } = roots
  const fresh = step === 'Announce' ? await makeRoot(now) : undefined
  const byCertificate = new Map([current, next, fresh].flatMap((root) => (root ? [[root.certificate, root]] : [])))
  const moved = advance(
    rotationOf(roots, (certificate) => certificate),
    step,
    () => fresh!.certificate,
  )
  const rootOf = (certificate: string): Root => byCertificate.get(certificate)!
  const signer = rootOf(moved.current)
  switch (phaseOf(moved)) {
    case 'Steady':
      return { current: signer }
    case 'Announcing':
      return { current: signer, next: rootOf(moved.next!) }
    case 'Replacing':
      if (moved.previous === roots.previous?.certificate) return roots
      return {
        current: signer,
        previous: {
          certificate: moved.previous!,
          cross: await crossCertify(signer.certificate, rootOf(moved.previous!), now),
        },
      }
  }
}
