import { defineEntity, p } from '@mikro-orm/sql'

/** At most one row: what the one-time link opens while nobody has an account. */
export const BootstrapToken = defineEntity({
  name: 'BootstrapToken',
  tableName: 'bootstrap_tokens',
  properties: {
    id: p.integer().primary().autoincrement(false),
    tokenHash: p.string().length(64),
    expiresAt: p.datetime(3),
  },
})
