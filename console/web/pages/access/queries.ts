import { queryOptions, useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query'
import { getAccount, listAccounts, listTokens, type Account } from '../../../protocol/access.ts'
import { call } from '../../call.ts'

export const accountsQuery = queryOptions({
  queryKey: ['accounts'],
  queryFn: async ({ signal }) => (await call(listAccounts, {}, signal)).accounts,
})

export function accountQuery(name: string) {
  return queryOptions({
    queryKey: ['account', name],
    queryFn: ({ signal }) => call(getAccount, { params: { name } }, signal),
  })
}

export function tokensQuery(name: string) {
  return queryOptions({
    queryKey: ['account', name, 'tokens'],
    queryFn: async ({ signal }) => (await call(listTokens, { params: { name } }, signal)).tokens,
  })
}

/** A change of an account, whose answer is the account as it is then. */
export function useAccountChange<Input = void>(
  change: (input: Input) => Promise<Account>,
  onDone: (account: Account) => void,
): UseMutationResult<Account, Error, Input> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: change,
    onSuccess: async (account) => {
      client.setQueryData(accountQuery(account.name).queryKey, account)
      await client.invalidateQueries({ queryKey: accountsQuery.queryKey })
      onDone(account)
    },
  })
}
