import { inspect } from 'node:util'

/** What stands where a secret was. */
export const redacted = '[redacted]'

/** A secret until it is sent: whatever prints, logs or serialises it shows that it is one, and nothing of it. */
export class SecretValue {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** For the message to the host, and for what keeps it out of all else. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [inspect.custom](): string {
    return redacted
  }
}
