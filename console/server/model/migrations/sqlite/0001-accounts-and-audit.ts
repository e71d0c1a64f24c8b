import { Migration } from '@mikro-orm/migrations'

export class AccountsAndAudit extends Migration {
  override name = '0001-accounts-and-audit'

  override up(): void {
    this.addSql(
      `create table "audit_entries" ("sequence" integer not null primary key autoincrement, "time" datetime not null, "actor" text not null, "address" text not null, "action" text not null, "object" text not null, "detail" text not null, "outcome" text check ("outcome" in ('Pending', 'Succeeded', 'Denied', 'Failed', 'Unknown')) not null, "status" integer null, "message" text not null, "finished_at" datetime null, "process" text not null)`,
    )
    this.addSql(`create index "audit_entries_time_index" on "audit_entries" ("time")`)
    this.addSql(`create index "audit_entries_actor_index" on "audit_entries" ("actor")`)
    this.addSql(`create index "audit_entries_outcome_index" on "audit_entries" ("outcome")`)
    this.addSql(
      `create table "bootstrap_tokens" ("id" integer not null primary key, "token_hash" text not null, "expires_at" datetime not null)`,
    )
    this.addSql(
      `create table "users" ("name" text not null primary key, "display_name" text not null, "password_hash" text null, "enabled" integer not null, "must_change_password" integer not null, "language" text check ("language" in ('en', 'zh-CN')) null, "theme" text check ("theme" in ('light', 'dark', 'system')) not null, "time_zone" text not null, "created_at" datetime not null, "last_sign_in_at" datetime null)`,
    )
    this.addSql(
      `create table "sessions" ("id" text not null primary key, "token_hash" text not null, "user_name" text not null, "created_at" datetime not null, "last_seen_at" datetime not null, "address" text not null, "user_agent" text not null, constraint "sessions_user_name_foreign" foreign key ("user_name") references "users" ("name") on delete cascade)`,
    )
    this.addSql(`create unique index "sessions_token_hash_unique" on "sessions" ("token_hash")`)
    this.addSql(`create index "sessions_user_name_index" on "sessions" ("user_name")`)
    this.addSql(`create index "sessions_last_seen_at_index" on "sessions" ("last_seen_at")`)
  }
}
