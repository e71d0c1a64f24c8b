import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cached, contentKey } from './cache.ts'
import { eventually } from './deadline.ts'

let directory: string
let cache: string
const started = new Set<ChildProcess>()
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keelson-cache-test-'))
  cache = join(directory, 'a cache')
})
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
  await rm(directory, { recursive: true, force: true })
})

/** Other processes that ask for the same entry; their builds go on once the gate is open. */
class Asker {
  output = ''
  readonly child: ChildProcess

  constructor() {
    const program = join(import.meta.dirname, 'cache.fixture.ts')
    this.child = execFile(process.execPath, [program, cache, join(directory, 'log'), join(directory, 'gate')])
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    started.add(this.child)
  }

  get pid(): string {
    return String(this.child.pid)
  }

  async says(text: string): Promise<void> {
    await eventually(`${this.pid} says: ${text}`, () => this.output.includes(text), 20_000)
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
    return this.child.exitCode
  }
}

/** The processes that have begun to build, in their order. */
function builders(): string[] {
  try {
    return readFileSync(join(directory, 'log'), 'utf8').trim().split('\n')
  } catch {
    return []
  }
}

const openGate = () => writeFile(join(directory, 'gate'), '')
const builds = (count: number) => eventually(`${count} builds`, () => builders().length === count, 20_000)
const entries = async () => (await readdir(cache)).filter((name) => !name.startsWith('.lock-')).toSorted()

describe('an entry', () => {
  test('that several processes ask for is built by one of them; the others wait, and say so', async () => {
    const askers = Array.from({ length: 4 }, () => new Asker())
    await builds(1)
    const waiting = askers.filter(({ pid }) => pid !== builders()[0])
    for (const asker of waiting) await asker.says('waiting for another run')
    expect(await entries()).toEqual([expect.stringMatching(/^\.building-thing\./)])

    await openGate()
    for (const asker of askers) {
      expect(await asker.ended()).toBe(0)
      await asker.says(join(cache, 'thing-key'))
    }
    expect(builders()).toHaveLength(1)
    expect(await readdir(join(cache, 'thing-key'))).toEqual(['half', 'whole'])
    expect(await entries()).toEqual(['thing-key'])
  })

  test('whose builder is killed halfway is built anew by the one that waits, and nothing of the first is left', async () => {
    const first = new Asker()
    await builds(1)
    const second = new Asker()
    await second.says('waiting for another run')

    first.child.kill('SIGKILL')
    await builds(2)
    expect(builders()).toEqual([first.pid, second.pid])
    expect(await entries()).toHaveLength(1)
    await openGate()
    expect(await second.ended()).toBe(0)
    expect(await entries()).toEqual(['thing-key'])
  })

  test('of another content removes what a killed run left of its kind, and of no other', async () => {
    const remains = ['.building-thing.1', '.building-thing-else.1', '.building-else.1']
    for (const name of [...remains, 'thing-key']) await mkdir(join(cache, name), { recursive: true })
    await cached('thing', 'new', async () => {}, cache)
    expect(await entries()).toEqual(['.building-else.1', '.building-thing-else.1', 'thing-key', 'thing-new'])
  })

  test('whose build fails leaves nothing, and the next build succeeds', async () => {
    const fails = async (beside: string) => {
      await writeFile(join(beside, 'half'), '')
      throw new Error('no network')
    }
    await expect(cached('thing', 'key', fails, cache)).rejects.toThrow('no network')
    expect(await entries()).toEqual([])
    await expect(cached('thing', 'key', async () => {}, cache)).resolves.toBe(join(cache, 'thing-key'))
  })

  test('may need another entry for its build', async () => {
    const outer = await cached(
      'outer',
      'key',
      async (beside) => {
        await writeFile(join(beside, 'inner'), await cached('inner', 'key', async () => {}, cache))
      },
      cache,
    )
    expect(readFileSync(join(outer, 'inner'), 'utf8')).toBe(join(cache, 'inner-key'))
  })
})

test.each([':', ',', '\\', '"'])('a cache with %s in its path is refused with the way out', async (character) => {
  await expect(cached('thing', 'key', async () => {}, join(directory, `a${character}b`))).rejects.toThrow(
    `an overlay takes no ${character} in a path. Set KEELSON_CACHE.`,
  )
  expect(await readdir(directory)).toEqual([])
})

test('a key depends on each part and on where it ends', () => {
  const keys = [contentKey('ab', 'c'), contentKey('a', 'bc'), contentKey('abc'), contentKey('ab', 'd')]
  expect(new Set(keys).size).toBe(4)
  expect(contentKey('ab', 'c')).toBe(keys[0])
})
