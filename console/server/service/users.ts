import { userNameOf, usersGroup } from '../../protocol/account-names.ts'

export { usersNamespace } from '../../protocol/account-names.ts'

/** Owner of the fields that people write by the console; who wrote them is in the API server's own audit log. */
export const fieldManager = 'keelson-console'

/** An account as RBAC knows it: user and groups of a ServiceAccount's token. */
export function userOf(account: string): { readonly user: string; readonly groups: readonly string[] } {
  return {
    user: userNameOf(account),
    groups: ['system:serviceaccounts', usersGroup, 'system:authenticated'],
  }
}
