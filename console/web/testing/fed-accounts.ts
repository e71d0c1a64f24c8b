import type { Account, Grant, Token } from '../../protocol/access.ts'

type Body = Readonly<Record<string, unknown>> | undefined

interface FedAccount extends Account {
  readonly tokens: readonly Token[]
}

export class NoSuchAccount extends Error {
  readonly code = 'AccountNotFound'
}

const viewer: Grant = { kind: 'Role', role: 'keelson-viewer', namespaces: [] }

/** People and scripts in memory, who can be changed. `createdAt` is everyone's. */
export function fedAccounts(createdAt: string): (method: string, pathname: string, body: Body) => unknown {
  const accounts = new Map<string, FedAccount>()
  const keep = (account: Omit<FedAccount, 'createdAt' | 'tokens'> & { readonly tokens?: readonly Token[] }) => {
    accounts.set(account.name, { tokens: [], createdAt, ...account })
  }
  keep({
    ...{ name: 'admin', type: 'Person', displayName: 'Ada Admin', signIn: 'Enabled', lastSignInAt: createdAt },
    grants: [],
    others: [
      'ClusterRoleBinding/keelson-administrator',
      'ClusterRoleBinding/keelson-administrator-access',
      'RoleBinding/keelson-users/keelson-administrator-access',
    ],
  })
  keep({
    ...{ name: 'mei', type: 'Person', displayName: 'Mei Lin', signIn: 'Disabled' },
    grants: [
      viewer,
      { kind: 'Role', role: 'keelson-operator', namespaces: ['default', 'platform'] },
      { kind: 'Hosts', hosts: ['worker-1', 'worker-2'], areas: ['facts', 'sysctl'], access: 'Update' },
    ],
    others: [],
  })
  keep({ name: 'olga', type: 'Person', displayName: 'Olga', signIn: 'Never', grants: [viewer], others: [] })
  keep({
    ...{ name: 'ci', type: 'Script', displayName: 'Continuous integration', signIn: 'Never' },
    grants: [{ kind: 'Role', role: 'keelson-operator', namespaces: ['default'] }],
    others: ['RoleBinding/default/ci-view'],
    tokens: [
      { name: 'ci-0a1b2c3d4e', type: 'LongLived', createdAt },
      { name: 'ci-5f6a7b8c9d', type: 'Expiring', createdAt, expiresAt: createdAt },
    ],
  })
  const shown = (found: FedAccount): Account => {
    const { tokens: _, ...account } = found
    return account
  }

  return (method, pathname, body) => {
    const [, name, part, token] = /^\/api\/accounts(?:\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?)?$/.exec(pathname) ?? []
    if (name === undefined) {
      if (method === 'GET') return { accounts: [...accounts.values()].map(shown) }
      const { password: _, ...wanted } = body as unknown as Account & { password?: string }
      keep({ ...wanted, others: [], signIn: wanted.type === 'Person' ? 'Enabled' : 'Never' })
      return shown(accounts.get(wanted.name)!)
    }
    const account = accounts.get(name)
    if (account === undefined) throw new NoSuchAccount(`there is no account ${name}`)
    const change = (changed: Partial<FedAccount>) => {
      accounts.set(name, { ...account, ...changed })
      return shown(accounts.get(name)!)
    }
    switch (`${method} ${part ?? ''}`) {
      case 'GET ':
        return shown(account)
      case 'DELETE ':
        accounts.delete(name)
        return undefined
      case 'PUT grants':
        return change({ grants: body?.['grants'] as Grant[] })
      case 'PUT sign-in':
        return change({ signIn: body?.['enabled'] === true ? 'Enabled' : 'Disabled' })
      case 'POST password':
        change({ signIn: 'Enabled' })
        return undefined
      case 'GET tokens':
        return { tokens: account.tokens }
      case 'POST tokens': {
        const made: Token = {
          name: `${name}-${account.tokens.length}`,
          type: body?.['type'] as Token['type'],
          createdAt,
        }
        change({ tokens: [...account.tokens, made] })
        return { token: made, value: 'not.a.token', kubeconfig: 'kind: Config\n' }
      }
      case 'DELETE tokens':
        change({ tokens: account.tokens.filter((each) => each.name !== token) })
        return undefined
    }
    return undefined
  }
}
