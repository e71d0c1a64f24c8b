/**
 * Why a request on a resource failed, by whose turn it is: `parameter` = the caller's (another value is needed), `state` = the host as it
 * is stands against it (change the host or the wish), `act` = it was allowed and tried, or the host could not be read.
 */
export type ResourceErrorKind = 'parameter' | 'state' | 'act'

/**
 * The one error that resource types throw on purpose. `code` is PascalCase and stable; `message` says what, where and what to do and never
 * repeats a value; `field` is the parameter as the caller spelled it.
 */
export class ResourceError extends Error {
  readonly kind: ResourceErrorKind
  readonly code: string
  readonly field: string | undefined

  constructor(
    kind: ResourceErrorKind,
    code: string,
    message: string,
    options: { readonly field?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'ResourceError'
    this.kind = kind
    this.code = code
    this.field = options.field
  }
}

/** `code` of a failed system call (`ENOENT`, `EINVAL` …), if that is what `error` is. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const fileRefusals: Readonly<Record<string, readonly [code: string, remedy: string]>> = {
  EBUSY: [
    'TargetIsMounted',
    'it is a mount point (a bind mount?) and cannot be replaced: unmount it, or change its source',
  ],
  EROFS: ['ReadOnlyFileSystem', 'its file system is mounted read-only'],
  EPERM: ['NotPermitted', 'the kernel does not permit it: look for the immutable attribute with lsattr'],
  EACCES: [
    'NotPermitted',
    'access is denied: a security module (SELinux, AppArmor), or the agent does not run as root',
  ],
  ENOSPC: ['NoSpace', 'no space left on its file system'],
  EDQUOT: ['NoSpace', 'the disk quota is exhausted'],
  ENOENT: ['FolderMissing', 'its folder does not exist'],
}

/** A failed system call on `path` as a coded error. */
export function fileError(path: string, error: unknown): ResourceError {
  const errno = errnoOf(error) ?? 'unknown error'
  const [code, remedy] = fileRefusals[errno] ?? ['FileFailed', `the system call failed with ${errno}`]
  return new ResourceError('act', code, `${path}: ${remedy}`, { cause: error })
}
