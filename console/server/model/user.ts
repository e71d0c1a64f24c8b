import { defineEntity, p } from '@mikro-orm/sql'

/** Who may sign in: the local half of a person whose rights are those of the ServiceAccount of the same name. */
export const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    name: p.string().length(63).primary(),
    displayName: p.string().length(128),
    /** PHC string of argon2id; null: no password was ever set. */
    passwordHash: p.string().length(255).nullable(),
    enabled: p.boolean(),
    mustChangePassword: p.boolean(),
    /** Null: what the browser asks for. */
    language: p.enum(['en', 'zh-CN']).nullable(),
    theme: p.enum(['light', 'dark', 'system']),
    timeZone: p.string().length(63),
    createdAt: p.datetime(3),
    lastSignInAt: p.datetime(3).nullable(),
  },
})
