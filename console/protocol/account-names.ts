/** Where people and scripts are: each is a ServiceAccount in this namespace, which holds nothing else. */
export const usersNamespace = 'keelson-users'

/** What the API server calls that account, in RBAC subjects of the kind User and in its audit log. */
export function userNameOf(account: string): string {
  return `system:serviceaccount:${usersNamespace}:${account}`
}

/** Every ServiceAccount of the namespace is in this group, besides the two that hold all ServiceAccounts and everyone. */
export const usersGroup = `system:serviceaccounts:${usersNamespace}`

/** On a ServiceAccount: `person` or `script`. */
export const accountTypeLabel = 'keelson.dev/account-type'
/** On whatever the console makes for an account: its name. */
export const accountLabel = 'keelson.dev/account'
export const displayNameAnnotation = 'keelson.dev/display-name'
/** On a ServiceAccount whose creation was begun and not ended: it may be begun again. */
export const unfinishedAnnotation = 'keelson.dev/unfinished'

/** Beginning of the names of an account's roles and bindings. Names of accounts have no colon, so no other account's begin so. */
export function prefixOf(account: string): string {
  return `keelson-user:${account}:`
}

/** Type of a Secret that holds nothing: a token of TokenRequest is bound to it and ends with it. */
export const markerType = 'keelson.dev/bound-token'
/** Type of a Secret into which the controller manager writes a token without an end. */
export const longLivedType = 'kubernetes.io/service-account-token'
/** On such a Secret: the name of its ServiceAccount. */
export const ofAccountAnnotation = 'kubernetes.io/service-account.name'
