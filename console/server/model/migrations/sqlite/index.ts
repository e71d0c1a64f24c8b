import { AccountsAndAudit } from './0001-accounts-and-audit.ts'

/** In the order in which they are applied. What is released is never changed: a change is one more, and the test of the tables tells the SQL that it lacks. */
export const sqliteMigrations = [AccountsAndAudit]
