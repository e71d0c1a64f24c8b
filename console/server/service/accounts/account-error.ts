export type AccountErrorCode =
  | 'AccountExists'
  | 'AccountNotFound'
  | 'OwnAccount'
  | 'NotAPerson'
  | 'PasswordMissing'
  | 'GrantInvalid'
  | 'TokenRightMissing'
  | 'TokenNotFound'
  | 'TooManyTokens'
  | 'TokenNotMade'

/** What is wrong about an account or a token where Kubernetes was not asked, or had nothing to say. */
export class AccountError extends Error {
  readonly code: AccountErrorCode
  /** Of the body, where one is to blame. */
  readonly field: string | undefined

  constructor(code: AccountErrorCode, message: string, field?: string) {
    super(message)
    this.name = 'AccountError'
    this.code = code
    this.field = field
  }
}
