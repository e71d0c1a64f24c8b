import type { requests as english } from '../en/requests.ts'
import type { Translation } from '../translation.ts'

export const requests: Translation<typeof english> = {
  title: '请求',
  subtitle: '向哪些主机发送了什么，结果如何',
  new: '新建请求',
  grid: '请求列表',
  search: '按名称、路径或原因搜索',
  namespace: '命名空间',
  allNamespaces: '所有命名空间',
  state: '状态',
  any: '不限',
  dryRun: '试运行',
  suspended: '已挂起',
  column: {
    name: '名称',
    state: '状态',
    request: '请求内容',
    progress: '进度',
    result: '结果',
    created: '创建时间',
  },
  progressOf: '{{name}} 的进度',
  wave: '第 {{wave}} 批，共 {{waves}} 批',
  round: '第 {{round}} 轮重试',
  reason: '{{reason}}：{{count, number}} 台',
  empty: {
    title: '还没有请求',
    hint: '请求用于查询主机或更改主机上的设置，并显示每台主机的应答。',
  },
  nothingFound: {
    title: '没有符合条件的请求',
    hint: '换用其他关键词或状态试试。',
    clear: '显示所有请求',
  },
}
