/** Where the ServiceAccounts of people and scripts are. */
export const usersNamespace = 'keelson-users'

/** Owner of the fields that people write by the console; who wrote them is in the API server's own audit log. */
export const fieldManager = 'keelson-console'

/** An account as RBAC knows it: user and groups of a ServiceAccount's token. */
export function userOf(account: string): { readonly user: string; readonly groups: readonly string[] } {
  return {
    user: `system:serviceaccount:${usersNamespace}:${account}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${usersNamespace}`, 'system:authenticated'],
  }
}
