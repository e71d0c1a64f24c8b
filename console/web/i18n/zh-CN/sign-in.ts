import type { signIn as english } from '../en/sign-in.ts'
import type { Translation } from '../translation.ts'

export const signIn: Translation<typeof english> = {
  title: '登录',
  name: '账户名',
  password: '密码',
  submit: '登录',
  bootstrapOpen: '尚无任何账户。请打开控制台启动时写入日志的链接，以创建首位管理员。',
  bootstrap: {
    title: '首位管理员',
    text: '将为首个账户设置密码。该账户拥有 Keelson 的全部权限，并可创建其他账户。',
    displayName: '您的姓名',
    displayNameHint: '他人看到的名称。',
    submit: '设置密码并登录',
    noToken: '该地址中没有令牌。请打开控制台日志中的完整链接，包括 # 之后的内容。',
    closed: '首个账户已存在。',
    toSignIn: '前往登录页面',
  },
  change: {
    title: '修改密码',
    first: '您的密码由他人设置。请另选一个只有您知道的密码。',
    current: '当前密码',
    next: '新密码',
    repeat: '再次输入新密码',
    rule: '至少 12 个字符；不能是常见密码，也不能包含账户名。',
    tooShort: '至少需要 12 个字符。',
    differs: '两次输入不一致。',
    submit: '修改密码',
    done: '密码已修改，其他会话均已结束。',
  },
}
