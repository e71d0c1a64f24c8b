import type { hosts as english } from '../en/hosts.ts'
import type { Translation } from '../translation.ts'

export const hosts: Translation<typeof english> = {
  title: '主机',
}
