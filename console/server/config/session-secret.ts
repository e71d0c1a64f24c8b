import { randomBytes, randomUUID } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Makes a file with a new secret, for its owner alone, unless there is one: of several consoles that do it at once one makes it, and no reader ever
 * finds a part of it.
 *
 * @throws the error of the system call that failed, as EACCES or ENOENT for the folder
 */
export async function makeSecret(file: string): Promise<void> {
  const beside = join(dirname(file), `.${basename(file)}.${randomUUID()}`)
  try {
    await using made = await open(beside, 'wx', 0o600)
    await made.writeFile(`${randomBytes(48).toString('base64url')}\n`)
    await made.sync()
    // Unlike rename it replaces nothing.
    await link(beside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(beside, { force: true })
  }
}
