import { Migration } from '@mikro-orm/migrations'

export class AccountsAndAudit extends Migration {
  override name = '0001-accounts-and-audit'

  override up(): void {
    this.addSql(
      `create table "audit_entries" ("sequence" serial primary key, "time" timestamptz(3) not null, "actor" varchar(63) not null, "address" varchar(63) not null, "action" varchar(63) not null, "object" varchar(512) not null, "detail" varchar(2048) not null, "outcome" text not null, "status" int null, "message" varchar(1024) not null, "finished_at" timestamptz(3) null, "process" varchar(32) not null)`,
    )
    this.addSql(`create index "audit_entries_time_index" on "audit_entries" ("time")`)
    this.addSql(`create index "audit_entries_actor_index" on "audit_entries" ("actor")`)
    this.addSql(`create index "audit_entries_outcome_index" on "audit_entries" ("outcome")`)
    this.addSql(
      `alter table "audit_entries" add constraint "audit_entries_outcome_check" check ("outcome" in ('Pending', 'Succeeded', 'Denied', 'Failed', 'Unknown'))`,
    )
    this.addSql(
      `create table "bootstrap_tokens" ("id" int not null, "token_hash" varchar(64) not null, "expires_at" timestamptz(3) not null, primary key ("id"))`,
    )
    this.addSql(
      `create table "users" ("name" varchar(63) not null, "display_name" varchar(128) not null, "password_hash" varchar(255) null, "enabled" boolean not null, "must_change_password" boolean not null, "language" text null, "theme" text not null, "time_zone" varchar(63) not null, "created_at" timestamptz(3) not null, "last_sign_in_at" timestamptz(3) null, primary key ("name"))`,
    )
    this.addSql(`alter table "users" add constraint "users_language_check" check ("language" in ('en', 'zh-CN'))`)
    this.addSql(`alter table "users" add constraint "users_theme_check" check ("theme" in ('light', 'dark', 'system'))`)
    this.addSql(
      `create table "sessions" ("id" varchar(32) not null, "token_hash" varchar(64) not null, "user_name" varchar(63) not null, "created_at" timestamptz(3) not null, "last_seen_at" timestamptz(3) not null, "address" varchar(63) not null, "user_agent" varchar(256) not null, primary key ("id"))`,
    )
    this.addSql(`alter table "sessions" add constraint "sessions_token_hash_unique" unique ("token_hash")`)
    this.addSql(`create index "sessions_last_seen_at_index" on "sessions" ("last_seen_at")`)
    this.addSql(
      `alter table "sessions" add constraint "sessions_user_name_foreign" foreign key ("user_name") references "users" ("name") on delete cascade`,
    )
  }
}
