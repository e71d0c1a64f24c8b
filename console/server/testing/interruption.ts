/** Ends what is under way before its nth write, as a process does that is killed there. */
export class Interruption {
  #left: number

  constructor(writes: number) {
    this.#left = writes
  }

  /** The same object, whose methods of these names count as writes; those of a dry run do not. */
  of<T extends object>(target: T, names: readonly (keyof T)[]): T {
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: readonly unknown[]) => {
          const isDryRun = args.some((arg) => typeof arg === 'object' && arg !== null && 'dryRun' in arg)
          if (names.includes(name as keyof T) && !isDryRun) this.#spend()
          return Reflect.apply(member, target, args) as unknown
        }
      },
    })
  }

  #spend(): void {
    if (this.#left === 0) throw new Error('interrupted')
    this.#left -= 1
  }
}
