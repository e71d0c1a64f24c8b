import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)

/** OWASP's password storage cheat sheet asks for at least 19 MiB, 2 passes, 1 lane; one pass more costs a sign-in some 20 ms. */
const present = { memory: 19_456, passes: 3, parallelism: 1 } as const
const tagLength = 32
const saltLength = 16

/** Each takes 19 MiB while it runs: of a burst of sign-ins the rest waits. */
const maxAtOnce = 2
let running = 0
const waiting: (() => void)[] = []

async function hash(password: string, salt: Buffer, cost: typeof present | Cost): Promise<Buffer> {
  if (running >= maxAtOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    // NFC: the same characters may be typed in composed and decomposed form (NIST SP 800-63B, 5.1.1.2).
    const message = password.normalize('NFC')
    return await derive('argon2id', { message, nonce: salt, tagLength, ...cost })
  } finally {
    // The place is handed on, not given back, where somebody waits.
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

type Cost = { readonly memory: number; readonly passes: number; readonly parallelism: number }

/** @returns a PHC string, as `$argon2id$v=19$m=19456,t=3,p=1$SALT$HASH`: it says itself with which parameters it was made. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltLength)
  const tag = await hash(password, salt, present)
  const { memory, passes, parallelism } = present
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`
}

const pattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** Without a hash (nobody of that name, or without a password) it does the same work, so that the time tells nothing. */
export async function verifyPassword(password: string, phc: string | undefined): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', tag = ''] = pattern.exec(phc ?? '') ?? []
  if (memory === undefined) {
    await hash(password, Buffer.alloc(saltLength), present)
    return false
  }
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const expected = Buffer.from(tag, 'base64')
  const actual = await hash(password, Buffer.from(salt, 'base64'), cost)
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
