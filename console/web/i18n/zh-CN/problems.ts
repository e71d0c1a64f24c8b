import type { problems as english } from '../en/problems.ts'
import type { Translation } from '../translation.ts'

export const problems: Translation<typeof english> = {
  Unreachable: '控制台没有响应。请检查网络后重试。',
  AnswerNotUnderstood: '控制台的响应无法识别。',
  PageFailed: '页面出错：{{message}}',
  SignInRefused: '用户名或密码错误。',
  Unauthenticated: '登录已失效。',
  TooManyRequests: '尝试次数过多，请在 {{seconds}} 秒后重试。',
  Forbidden: '您没有执行此操作的权限。',
  NotFound: '对象不存在，或已被删除。',
  Conflict: '对象已被修改，请重新查看后再继续。',
  ClusterUnreachable: '控制台无法连接 Kubernetes API 服务器。',
  PasswordTooShort: '密码过短：至少需要 12 个字符。',
  PasswordTooCommon: '该密码过于常见，请另选一个。',
  WrongPassword: '当前密码错误。',
  BootstrapClosed: '首个账户已存在，请直接登录。',
  BootstrapTokenWrong: '该链接与控制台日志中的不一致，或已被使用。',
  PasswordChangeRequired: '请先修改密码。',
}
