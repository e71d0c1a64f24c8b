import { AuditEntry } from './audit-entry.ts'
import { BootstrapToken } from './bootstrap-token.ts'
import { Session } from './session.ts'
import { User } from './user.ts'

export const entities = [User, Session, AuditEntry, BootstrapToken]
