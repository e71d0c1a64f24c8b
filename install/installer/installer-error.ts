export type InstallerErrorCode =
  /** The image lacks a part of the agent. */
  | 'ImageIncomplete'
  /** A folder of the host is not where it should be, so that nothing may be written there. */
  | 'HostLayoutUnsupported'
  /** A file of the host could not be read, written or removed. */
  | 'HostFileFailed'
  /** A program of the host failed, or did not end in time. */
  | 'HostProgramFailed'
  /** The API server says that the token belongs to another Node than the one to install on. */
  | 'NodeMismatch'
  /** The agent is installed and is not at work. */
  | 'AgentNotUp'
  /** The agent of the image did not come up; the last good one is back. */
  | 'AgentUpgradeFailed'

/** The host is not as it is wanted; the message is one sentence that says why and what to do. */
export class InstallerError extends Error {
  readonly code: InstallerErrorCode

  constructor(code: InstallerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'InstallerError'
    this.code = code
  }
}
