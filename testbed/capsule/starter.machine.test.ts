import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../deadline.ts'
import { differences, leftovers, takeTraces } from '../demo/traces.ts'
import { Capsule } from './capsule.ts'
import { cgroupRoot } from './cgroup.ts'
import { Starter, sweeperOf } from './starter-process.fixture.ts'
import { ownTemporary } from './view.fixture.ts'

const nothing: unknown[] = []

describe('a starter that is killed leaves nothing behind', () => {
  // Every step of a start falls between some two of these; a machine that is slower or faster only shifts which.
  test.each([0, 5, 10, 20, 30, 40, 60, 80, 110, 150, 250])('%d ms after its beginning', async (milliseconds) => {
    const before = await takeTraces('no run yet')
    const starter = new Starter(['stay'])
    await starter.says('starting')
    await sleep(milliseconds)
    await starter.kill()
    expect(Object.values(await leftovers(before, starter.tag)).flat()).toEqual(nothing)
  })

  test('when the program inside is up', async () => {
    const before = await takeTraces('no run yet')
    const starter = new Starter(['stay'])
    await starter.says('"up"')
    await starter.kill()
    expect(Object.values(await leftovers(before, starter.tag)).flat()).toEqual(nothing)
  })

  test('but an empty cgroup should its sweeper be killed too, and that goes at the next start', async () => {
    const before = await takeTraces('no run yet')
    const starter = new Starter(['stay'])
    await starter.says('"up"')
    process.kill(sweeperOf(starter.pid), 'SIGKILL')
    await starter.kill()
    const rest = await eventually('only cgroups are left', async () => {
      const { cgroups, ...others } = differences(before, await takeTraces(starter.tag))
      return Object.values(others).every((list) => list.length === 0) && cgroups
    })
    expect(rest[0]).toContain(`${cgroupRoot()}/keelson-${starter.pid}-`)

    await using capsule = await Capsule.start({ module: join(import.meta.dirname, 'probe.fixture.ts') })
    await capsule.ended
    const left = (await readdir(cgroupRoot())).filter((name) => name.startsWith(`keelson-${starter.pid}-`))
    expect(left).toEqual(nothing)
  })
})

describe('a capsule has', () => {
  let base: string
  /** Outside the folders that a capsule covers. */
  beforeEach(async () => {
    base = await mkdtemp('/var/tmp/keelson capsule-')
    return () => rm(base, { recursive: true, force: true })
  })

  test('no writable mount of the machine, be it below others, twice at a place or with a space in its path', async () => {
    const [outer, inner, twice] = ['a b', 'a b/inner', 'twice'].map((name) => join(base, name))
    const mounts = [outer!, inner!, twice!, twice!, '/dev/shm', '/dev/keelson-test', '/tmp/keelson-test']
    const view = await new Starter(['view', outer!, inner!, twice!], { mounts }).view()
    expect(view.folders).toEqual({ [outer!]: 'EROFS', [inner!]: 'EROFS', [twice!]: 'EROFS' })
    expect(view.devices).not.toContain('keelson-test')
    expect(view.temporary).toEqual(ownTemporary)
  })

  describe.each(['/tmp', '/run'])('in a private %s', (folder) => {
    let below: string
    beforeEach(async () => {
      below = await mkdtemp(`${folder}/keelson capsule-`)
      await mkdir(join(below, 'not needed'))
      return () => rm(below, { recursive: true, force: true })
    })

    test('the clone and the cache, read-only, if that is where they are', async () => {
      const copy = join(below, 'a clone/testbed')
      await copyTestbed(copy)
      const cache = join(below, 'a cache')
      const [link, linkBeside] = [join(below, 'link'), join(base, 'link')]
      await mkdir(cache)
      for (const path of [link, linkBeside]) await symlink(cache, path)
      for (const KEELSON_CACHE of [cache, link, linkBeside]) {
        const starter = new Starter(['view', copy, KEELSON_CACHE, below], { testbed: copy, env: { KEELSON_CACHE } })
        const view = await starter.view()
        expect(view.folders).toEqual({ [copy]: 'EROFS', [KEELSON_CACHE]: 'EROFS', [below]: 'made' })
        expect(view.workingDirectory).toBe(resolve(copy, '..'))
        expect(view.temporary).toEqual(folder === '/tmp' ? [basename(below)] : nothing)
      }
    })

    test('no such thing as that whole folder for a cache', async () => {
      const starter = new Starter(['view'], { env: { KEELSON_CACHE: folder } })
      expect(await starter.ended()).toBe(1)
      expect(starter.output).toContain(`Neither the clone nor a folder that it uses can be ${folder} itself`)
    })
  })
})

/** What a capsule needs of a clone. */
async function copyTestbed(target: string): Promise<void> {
  const testbed = resolve(import.meta.dirname, '..')
  await mkdir(target, { recursive: true })
  await writeFile(join(target, '../package.json'), '{ "type": "module" }')
  const files = (await readdir(testbed)).filter((name) => name.endsWith('.ts'))
  for (const name of [...files, 'capsule']) await cp(join(testbed, name), join(target, name), { recursive: true })
}
