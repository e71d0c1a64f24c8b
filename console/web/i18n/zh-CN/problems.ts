import type { problems as english } from '../en/problems.ts'
import type { Translation } from '../translation.ts'

export const problems: Translation<typeof english> = {
  Unreachable: '控制台没有响应。请检查网络后重试。',
  AnswerNotUnderstood: '控制台的响应无法识别。',
  PageFailed: '页面出错：{{message}}',
  SignInRefused: '账户名或密码错误。',
  SignInRequired: '登录已失效。',
  TooManyCalls: '尝试次数过多，请在 {{seconds}} 秒后重试。',
  CsrfRefused: '此页面早于当前会话，请重新加载。',
  Unforeseen: '控制台处理失败，原因见其日志。',
  BodyTooLarge: '内容超出控制台一次可接受的大小。',
  DatabaseUnreachable: '控制台无法连接其数据库。',
  PasswordRefused: '该密码过于容易猜测。至少需要 12 个字符，且不能是常见密码、账户名、重复或连续的按键。',
  PasswordWrong: '当前密码错误。',
  PasswordChangeRequired: '请先修改密码。',
  BootstrapRefused: '该链接不是控制台日志中最新的链接，或已被使用。请打开最新的链接。',
  SessionNotFound: '该会话已经结束。',
  TimeZoneUnknown: '无法识别该时区。请使用 Asia/Shanghai 这样的名称。',
}
