import type { shell as english } from '../en/shell.ts'
import type { Translation } from '../translation.ts'

export const shell: Translation<typeof english> = {
  product: 'Keelson',
  skip: '跳到主要内容',
  navigation: '主导航',
  openNavigation: '打开导航',
  closeNavigation: '关闭导航',
  overview: '概览',
  hosts: '主机',
  requests: '请求',
  access: '访问权限',
  audit: '审计',
  profile: '个人设置',
  signOut: '退出登录',
  account: '账户',
  language: '语言',
  theme: '主题',
  themes: { light: '浅色', dark: '深色', system: '跟随系统' },
  live: {
    Connecting: '正在连接…',
    Live: '实时',
    console: '已过期 {{time}}',
    cluster: '集群失联 {{time}}',
    LiveHint: '当前显示的是集群的最新状态。',
    ConnectingHint: '正在等待控制台响应。',
    consoleHint: '控制台没有响应，当前显示的是旧数据。',
    clusterHint: '控制台与 Kubernetes API 服务器失去连接，当前显示的是旧数据。',
  },
  notifications: '通知',
  dismiss: '关闭通知',
}
