import type { host as english } from '../en/host.ts'
import type { Translation } from '../translation.ts'

export const host: Translation<typeof english> = {
  title: '主机',
}
