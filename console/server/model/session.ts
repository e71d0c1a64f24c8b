import { defineEntity, p } from '@mikro-orm/sql'
import { User } from './user.ts'

export const Session = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    /** Names the session where its owner lists and ends it; opens nothing. */
    id: p.string().length(32).primary(),
    /** HMAC-SHA256 of the cookie's value under a session secret: neither a copy of this table nor a row written into it opens a session. */
    tokenHash: p.string().length(64).unique(),
    user: () => p.manyToOne(User).fieldName('user_name').deleteRule('cascade'),
    createdAt: p.datetime(3),
    lastSeenAt: p.datetime(3).index(),
    address: p.string().length(63),
    userAgent: p.string().length(256),
  },
})
