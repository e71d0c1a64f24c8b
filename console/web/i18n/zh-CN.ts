import { access } from './zh-CN/access.ts'
import { audit } from './zh-CN/audit.ts'
import { common } from './zh-CN/common.ts'
import { compose } from './zh-CN/compose.ts'
import { host } from './zh-CN/host.ts'
import { hosts } from './zh-CN/hosts.ts'
import { overview } from './zh-CN/overview.ts'
import { problems } from './zh-CN/problems.ts'
import { profile } from './zh-CN/profile.ts'
import { requests } from './zh-CN/requests.ts'
import { run } from './zh-CN/run.ts'
import { shell } from './zh-CN/shell.ts'
import { signIn } from './zh-CN/sign-in.ts'
import type { en } from './en.ts'
import type { Translation } from './translation.ts'

/** Every text of the pages in simplified Chinese. */
export const zhCN: Translation<typeof en> = {
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
}
