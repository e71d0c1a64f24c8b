import { productVersion } from '@keelson/api/product-version'

/** Where everything lies in the image, and on a host beside other versions of it. */
export const programFolder = '/opt/keelson'

/** What containers of the image run; its arguments are a sub-command. */
export const imageEntrypoint = [`${programFolder}/bin/node`, `${programFolder}/keelson.mjs`] as const

/** Nobody's account, by number: a kubelet takes only that for one that is not root. The installer runs as root, and its Pod says so. */
export const imageUser = '65532:65532'

/** Runs programs of a host by the host's root folder: the one program beside Node's that is in the image. */
export const changeRoot = '/usr/sbin/chroot'

export function imageReference(version: string = productVersion): string {
  return `ghcr.io/keelson/keelson:${version}`
}
