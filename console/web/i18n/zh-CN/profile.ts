import type { profile as english } from '../en/profile.ts'
import type { Translation } from '../translation.ts'

export const profile: Translation<typeof english> = {
  title: '个人设置',
  account: '账户 {{name}}',
  person: '显示方式',
  displayName: '您的姓名',
  displayNameHint: '他人看到的名称。',
  timeZone: '时区',
  timeZoneOfBrowser: '跟随浏览器（{{zone}}）',
  timeZoneHint: '该时区现在是 {{time}}。',
  saved: '个人设置已保存。',
  password: '密码',
  sessions: '会话',
  sessionsHint: '此账户的登录位置。',
  session: { browser: '浏览器', address: '来源地址', since: '登录时间', seen: '最近活动' },
  current: '当前会话',
  end: '结束',
  endSession: '结束 {{address}} 上 {{browser}} 的会话',
  ended: '会话已结束。',
  endTitle: '结束此会话？',
  endText: '其使用者需要重新登录：{{address}} 上的 {{browser}}。',
  unknownBrowser: '未知浏览器',
}
