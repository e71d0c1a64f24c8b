import {
  createAccount,
  createToken,
  deleteAccount,
  getAccount,
  listAccounts,
  listTokens,
  revokeToken,
  setGrants,
  setPassword,
  setSignIn,
} from '../../protocol/access.ts'
import { AccountError, type AccountErrorCode } from '../service/accounts/account-error.ts'
import type { Accounts } from '../service/accounts/accounts.ts'
import type { Tokens } from '../service/accounts/tokens.ts'
import { ProblemError } from './problem-error.ts'
import type { Controller } from './serve.ts'

const statusOf: Readonly<Record<AccountErrorCode, number>> = {
  AccountExists: 409,
  AccountNotFound: 404,
  OwnAccount: 409,
  NotAPerson: 422,
  PasswordMissing: 409,
  GrantInvalid: 422,
  TokenRightMissing: 403,
  TokenNotFound: 404,
  TooManyTokens: 409,
  TokenNotMade: 502,
}

/** People, scripts, their rights and their tokens. */
export function accessController(accounts: Accounts, tokens: Tokens): Controller {
  return (serve) => {
    serve(listAccounts, async ({ caller, signal }) => ({ accounts: await told(accounts.list(caller.name, signal)) }))
    serve(getAccount, async ({ caller, params, signal }) => told(accounts.get(caller.name, params.name, signal)))
    serve(createAccount, async ({ caller, body, signal, audit }) => {
      audit.object(`accounts/${body.name}`)
      return told(accounts.create(caller.name, body, signal))
    })
    serve(setGrants, async ({ caller, params, body, signal }) =>
      told(accounts.setGrants(caller.name, params.name, body.grants, signal)),
    )
    serve(setPassword, async ({ caller, params, body, signal }) =>
      told(accounts.setPassword(caller.name, params.name, body.password, signal)),
    )
    serve(setSignIn, async ({ caller, params, body, signal }) =>
      told(accounts.setSignIn(caller.name, params.name, body.enabled, signal)),
    )
    serve(deleteAccount, async ({ caller, params, signal }) => told(accounts.delete(caller.name, params.name, signal)))
    serve(listTokens, async ({ caller, params, signal }) => ({
      tokens: await told(tokens.list(caller.name, params.name, signal)),
    }))
    serve(createToken, async ({ caller, params, body, signal, audit }) => {
      const given = await told(tokens.create(caller.name, params.name, body, signal))
      audit.object(`accounts/${params.name}/${given.token.name}`)
      return given
    })
    serve(revokeToken, async ({ caller, params, signal }) =>
      told(tokens.revoke(caller.name, params.name, params.token, signal)),
    )
  }
}

/** Errors of accounts as answers; those of Kubernetes and of the model are known to whoever answers. */
async function told<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    if (!(error instanceof AccountError)) throw error
    const { code, message, field } = error
    throw new ProblemError(statusOf[code], {
      code,
      message,
      ...(field !== undefined && { field }),
      // What a SubjectAccessReview said.
      ...(code === 'TokenRightMissing' && { kubernetes: { status: 403, reason: 'Forbidden' } }),
      cause: error,
    })
  }
}
