import { AccountsAndAudit } from './0001-accounts-and-audit.ts'

/** In the order in which they are applied. What is released is never changed: a change is one more. */
export const postgresqlMigrations = [AccountsAndAudit]
