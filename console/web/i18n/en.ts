import { access } from './en/access.ts'
import { audit } from './en/audit.ts'
import { common } from './en/common.ts'
import { compose } from './en/compose.ts'
import { host } from './en/host.ts'
import { hosts } from './en/hosts.ts'
import { overview } from './en/overview.ts'
import { problems } from './en/problems.ts'
import { profile } from './en/profile.ts'
import { requests } from './en/requests.ts'
import { run } from './en/run.ts'
import { shell } from './en/shell.ts'
import { signIn } from './en/sign-in.ts'

/** Every text of the pages in English, by page area. A language is loaded when it is first needed. */
export const en = {
  access,
  audit,
  common,
  compose,
  host,
  hosts,
  overview,
  problems,
  profile,
  requests,
  run,
  shell,
  signIn,
} as const
