import { apiVersion, type Host, type HostRequest } from '@keelson/api'
import { defineKind, type Kind } from '@keelson/kube'

export const hostKind: Kind<Host> = defineKind<Host>({ apiVersion, kind: 'Host', plural: 'hosts', namespaced: false })

export const hostRequestKind: Kind<HostRequest> = defineKind<HostRequest>({
  apiVersion,
  kind: 'HostRequest',
  plural: 'hostrequests',
  namespaced: true,
})
