import { writeSync } from 'node:fs'
import { systemClock } from '../clock.ts'
import { Accounts } from './accounts.ts'
import { Audit } from './audit.ts'
import { openDatabase } from './database.ts'

/**
 * A program: `node writer.fixture.ts URL PREFIX` makes accounts and entries of the audit without end and says of each when it is written:
 * `account NAME`, `begun SEQUENCE`, `finished SEQUENCE`.
 */
const [url, prefix] = process.argv.slice(2) as [string, string]
const orm = await openDatabase(url)
const accounts = new Accounts(orm, systemClock)
const audit = new Audit(orm, systemClock)
// Before it goes on: what was said is in the pipe, whatever happens next.
const say = (line: string) => writeSync(1, `${line}\n`)

async function makeAccounts(): Promise<never> {
  for (let count = 0; ; count += 1) {
    const name = `${prefix}-${count}`
    await accounts.create({ name, displayName: 'x'.repeat(100), mustChangePassword: true })
    say(`account ${name}`)
    await accounts.setEnabled(name, count % 2 === 0)
  }
}

async function act(actor: string): Promise<never> {
  for (;;) {
    const intent = {
      actor,
      address: '127.0.0.1',
      action: 'createAccount',
      object: 'o'.repeat(500),
      detail: 'd'.repeat(2_000),
    }
    const sequence = await audit.begin(intent)
    say(`begun ${sequence}`)
    await audit.finish(sequence, { outcome: 'Failed', status: 409, message: 'm'.repeat(1_000) })
    say(`finished ${sequence}`)
  }
}

await Promise.all([makeAccounts(), act('one'), act('two')])
