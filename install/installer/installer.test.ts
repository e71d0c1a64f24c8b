import { appendFile, chmod, mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileDigests, intactRelease } from './release.ts'
import { removeAgent } from './removal.ts'
import { Cut, TestHost, type Behaviour } from './test-host.fixture.ts'

const logger = pino({ enabled: false })
const never = new AbortController().signal
let host: TestHost
beforeEach(async () => {
  host = await TestHost.create()
})
afterEach(async () => host[Symbol.asyncDispose]())

const look = async (image: string, changes = {}) => host.installer(image, changes).look(never)

describe('a host without an agent', () => {
  test('gets all of it, and a look from then on changes nothing, neither of the same nor of another process', async () => {
    const installer = host.installer(await host.image('1.0.0'))
    await installer.look(never)
    expect(await host.version()).toBe('1.0.0')
    expect(await readlink(host.paths.current)).toMatch(/^versions\/1\.0\.0-[0-9a-f]{12}$/)
    expect(JSON.parse(await readFile(host.paths.config, 'utf8'))).toEqual({
      ...{ name: 'node1', address: host.address, port: 7117, tls: '/var/lib/keelson/tls', state: '/var/lib/keelson' },
      requireOrder: true,
    })
    const listing = await host.listing()
    expect(Object.keys(listing).filter((path) => path.includes('pages') || path.includes('keelson-new'))).toEqual([])
    expect(listing[`opt/keelson/versions/${(await host.versions())[0]}/bin/node`]).toMatch(/^100755 /)
    expect(host.calls).toEqual([
      '--no-reload enable keelson-agent.service',
      'daemon-reload',
      'restart keelson-agent.service',
    ])
    expect(host.enrolments).toBe(1)

    const before = await host.listing({ times: true })
    for (let times = 0; times < 12; times++) await installer.look(never)
    await look(await host.image('1.0.0'))
    expect(await host.listing({ times: true })).toEqual(before)
    expect([host.calls.length, host.enrolments]).toEqual([3, 1])
  })

  test('gets none without a certificate, and all of it once there is one', async () => {
    host.clusterFault = Object.assign(new Error('no'), { code: 'ConnectionFailed' })
    const installer = host.installer(await host.image('1.0.0'))
    await expect(installer.look(never)).rejects.toBe(host.clusterFault)
    expect(host.calls).toEqual([])
    host.clusterFault = undefined
    await installer.look(never)
    expect(await host.version()).toBe('1.0.0')
  })

  test('has one that does not come up: it stays, and that is said', async () => {
    const image = await host.image('1.0.0', 'exits')
    for (let times = 0; times < 2; times++)
      await expect(look(image)).rejects.toMatchObject({
        code: 'AgentNotUp',
        message: expect.stringMatching(
          /1\.0\.0-\w+ is installed and not at work: its unit is failed .*exit-code/,
        ) as string,
      })
    expect(await host.versions()).toHaveLength(1)
    expect(await readlink(host.paths.current)).toBe(`versions/${(await host.versions())[0]}`)
  })

  test('whose /opt leads out of its root is left alone', async () => {
    await rm(join(host.root, 'opt'), { recursive: true })
    await symlink('/tmp', join(host.root, 'opt'))
    await expect(look(await host.image('1.0.0'))).rejects.toMatchObject({ code: 'HostLayoutUnsupported' })
  })

  test('an image without an agent is refused', async () => {
    const image = await host.image('1.0.0')
    await rm(join(image, 'keelson.mjs'))
    await expect(look(image)).rejects.toMatchObject({
      code: 'ImageIncomplete',
      message: expect.stringContaining('keelson.mjs') as string,
    })
  })
})

describe('what somebody did to it is put right:', () => {
  const systemctl = async (verb: string) => void (await host.programs(['/usr/bin/systemctl', verb], 1, never))
  const version = async () => join(host.paths.versions, (await host.versions())[0]!)

  test.each<[string, () => Promise<void>, string[]]>([
    ['a file changed', async () => appendFile(join(await version(), 'lib/part.mjs'), '!'), ['restart']],
    ['a file removed', async () => rm(join(await version(), 'lib/deep'), { recursive: true }), ['restart']],
    ['a file added', async () => writeFile(join(await version(), 'lib/more.mjs'), ''), ['restart']],
    ['a mode changed', async () => chmod(join(await version(), 'bin/node'), 0o644), ['restart']],
    ['the programs removed', async () => rm(host.paths.programs, { recursive: true }), ['restart']],
    ['the settings changed', async () => writeFile(host.paths.config, '{}'), ['restart']],
    ['the settings removed', async () => rm(host.paths.settings, { recursive: true }), ['restart']],
    [
      'the unit changed',
      async () => {
        await appendFile(host.paths.unit, '#')
        await systemctl('daemon-reload')
      },
      ['daemon-reload', 'restart'],
    ],
    [
      'the unit masked',
      async () => {
        await rm(host.paths.unit)
        await symlink('/dev/null', host.paths.unit)
        await systemctl('daemon-reload')
      },
      ['daemon-reload', 'restart'],
    ],
    [
      'the link turned elsewhere',
      async () => {
        await rm(host.paths.current)
        await symlink('versions/none', host.paths.current)
      },
      ['restart'],
    ],
    [
      'a folder in place of the link',
      async () => {
        await rm(host.paths.current)
        await mkdir(host.paths.current)
      },
      ['restart'],
    ],
    ['the unit disabled', async () => systemctl('disable'), ['--no-reload enable', 'daemon-reload']],
    ['the agent stopped', async () => host.stopAgent(), ['start']],
    ['the certificate removed', async () => rm(host.paths.certificates, { recursive: true }), ['restart']],
    ['all that it remembers removed', async () => rm(host.paths.state, { recursive: true }), ['restart']],
    ['the word of the agent removed', async () => rm(host.paths.runtime, { recursive: true }), ['restart']],
  ])('%s', async (_case, act, calls) => {
    const image = await host.image('1.0.0')
    const installer = host.installer(image)
    await installer.look(never)
    const before = await host.listing()
    await act()
    host.calls.length = 0
    // What only a restart can bring back is found by waiting for it, and brought back by the next look.
    await installer.look(never).catch(() => undefined)
    await installer.look(never)
    expect(host.calls.map((call) => call.replace(' keelson-agent.service', ''))).toEqual(calls)
    const after = await host.listing()
    for (const path of Object.keys(after).filter((each) => /tls\.|agent\.json/.test(each) && !each.includes('etc')))
      before[path] = after[path]!
    expect(after).toEqual(before)
    expect(await host.version()).toBe('1.0.0')
  })
})

describe('the certificate', () => {
  const subjectUid = async () => (await host.installer(await host.image('1.0.0')).look(never), host.enrolments)

  test('of a Node that had the name before is replaced, and the agent shows the new one', async () => {
    expect(await subjectUid()).toBe(1)
    host.nodeUid = 'node-uid-2'
    expect(await subjectUid()).toBe(2)
    expect(host.calls.filter((call) => call.startsWith('restart'))).toHaveLength(2)
    expect(await subjectUid()).toBe(2)
  })

  test('of a Node that was made again while the installer lives on is replaced at its next look', async () => {
    const installer = host.installer(await host.image('1.0.0'))
    await installer.look(never)
    await installer.look(never)
    host.nodeUid = 'node-uid-2'
    await installer.look(never)
    expect([host.enrolments, await host.version()]).toEqual([2, '1.0.0'])
    await installer.look(never)
    expect(host.enrolments).toBe(2)
  })

  test('that lies there is good, but the agent shows another that is not: started anew, then replaced', async () => {
    await subjectUid()
    const good = await readFile(join(host.paths.certificates, 'tls.crt'))
    const goodKey = await readFile(join(host.paths.certificates, 'tls.key'))
    const { certificate, key } = await host.issue('node-uid-0')
    const place = async (cert: string | Buffer, its: string | Buffer) => {
      await writeFile(join(host.paths.certificates, 'tls.crt'), cert)
      await writeFile(join(host.paths.certificates, 'tls.key'), its)
    }
    await place(certificate, key)
    await host.reboot()
    await place(good, goodKey)
    await subjectUid()
    expect([host.enrolments, await host.version()]).toEqual([1, '1.0.0'])
    await subjectUid()
    expect(host.enrolments).toBe(1)
  })

  test('that has expired is replaced', async () => {
    await subjectUid()
    const { certificate, key } = await host.issue(host.nodeUid, new Date(Date.now() - 1_000))
    await writeFile(join(host.paths.certificates, 'tls.crt'), certificate)
    await writeFile(join(host.paths.certificates, 'tls.key'), key)
    await host.reboot()
    expect(await subjectUid()).toBe(2)
  })

  test('while the cluster is away: what is there is repaired, and that it is away is said', async () => {
    await subjectUid()
    host.clusterFault = Object.assign(new Error('away'), { code: 'ConnectionFailed' })
    await rm(host.paths.programs, { recursive: true })
    await expect(look(await host.image('1.0.0'))).rejects.toBe(host.clusterFault)
    expect(await host.version()).toBe('1.0.0')
    expect(await host.versions()).toHaveLength(1)
    // An upgrade could not be judged.
    await expect(look(await host.image('2.0.0'))).rejects.toBe(host.clusterFault)
    expect(await host.version()).toBe('1.0.0')
  })
})

describe('an upgrade', () => {
  beforeEach(async () => look(await host.image('1.0.0')))

  test('comes up: the last version is kept, those before it go', async () => {
    await look(await host.image('2.0.0'))
    expect(await host.version()).toBe('2.0.0')
    expect(await host.versions()).toEqual([expect.stringMatching(/^1\.0/), expect.stringMatching(/^2\.0/)])
    await look(await host.image('3.0.0'))
    expect(await host.versions()).toEqual([expect.stringMatching(/^2\.0/), expect.stringMatching(/^3\.0/)])
    expect(await readFile(host.paths.unit, 'utf8')).toContain('3.0.0')
    expect(host.enrolments).toBe(1)
  })

  test.each<[Behaviour, RegExp]>([
    ['exits', /its unit is failed/],
    ['silent', /it has not said that it listens/],
    ['tells another version', /it is version 9\.9\.9 instead of 2\.0\.0/],
    ['tells and does not listen', /it does not answer at 127\./],
  ])('that %s is taken back', async (behaviour, reason) => {
    const before = await host.listing()
    const installer = host.installer(await host.image('2.0.0', behaviour))
    for (let times = 0; times < 3; times++) {
      const failure = await installer.look(never).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'AgentUpgradeFailed', message: expect.stringMatching(reason) as string })
      expect(await host.version()).toBe('1.0.0')
    }
    expect(host.calls.filter((call) => call.startsWith('restart'))).toHaveLength(3)
    const after = await host.listing()
    for (const path of ['var/lib/keelson/installer.json', 'run/keelson/agent.json']) before[path] = after[path]!
    expect(after).toEqual(before)
  })

  test('that failed is tried again after an hour, also by another process, or when the image is another', async () => {
    let now = new Date()
    const restarts = () => host.calls.filter((call) => call.startsWith('restart')).length
    const bad = await host.image('2.0.0', 'exits')
    const attempt = async () => look(bad, { now: () => now }).catch((error: { code: string }) => error.code)
    expect([await attempt(), restarts()]).toEqual(['AgentUpgradeFailed', 3])
    now = new Date(now.getTime() + 3_599_000)
    expect([await attempt(), restarts()]).toEqual(['AgentUpgradeFailed', 3])
    now = new Date(now.getTime() + 1_000)
    expect([await attempt(), restarts()]).toEqual(['AgentUpgradeFailed', 5])
    await look(await host.image('2.0.0', 'good'), { now: () => now })
    expect(await host.version()).toBe('2.0.0')
  })

  test('back to the version before is an upgrade like any other', async () => {
    await look(await host.image('2.0.0'))
    await look(await host.image('1.0.0'))
    expect(await host.version()).toBe('1.0.0')
  })
})

describe('cut off between any two steps', () => {
  /** What must hold at every moment. */
  async function isWhole(): Promise<boolean> {
    const target = await readlink(host.paths.current).catch(() => undefined)
    if (target === undefined) return (await host.version()) === undefined
    const release = await intactRelease(join(host.paths.versions, basename(target)), new FileDigests())
    return release !== undefined
  }

  const stepsOf = async (image: string) => {
    host.cutAt(Infinity)
    await look(image).catch(() => undefined)
    return host.steps
  }

  /** Cuts one look after the other at every step of it; `then` is what happens to the host. */
  async function cutEverywhere(
    prepare: () => Promise<unknown>,
    image: string,
    end: () => Promise<void>,
  ): Promise<number> {
    await prepare()
    const steps = await stepsOf(image)
    for (let step = 1; step <= steps; step++)
      for (const isPowerCut of [false, true]) {
        await host[Symbol.asyncDispose]()
        host = await TestHost.create()
        image = await rebuilt(image)
        await prepare()
        const hadAgent = host.runs
        host.cutAt(step)
        await expect(look(image)).rejects.toBeInstanceOf(Cut)
        expect([step, await isWhole()]).toEqual([step, true])
        host.cutAt(Infinity)
        if (isPowerCut) await host.reboot()
        const version = isPowerCut && hadAgent ? await host.version() : '1.0.0'
        expect([step, version]).toEqual([step, expect.stringMatching(/^[12]\.0\.0$/)])
        await look(image).catch(() => undefined)
        await end()
        const listing = Object.keys(await host.listing())
        expect(listing.filter((path) => /keelson-new|partial|pending|replaced/.test(path))).toEqual([])
      }
    return steps
  }

  const rebuilt = async (image: string) => {
    const [version, behaviour] = basename(image).split(/-(.*)/)
    return host.image(version!, behaviour as Behaviour)
  }

  test('of an installation', async () => {
    const steps = await cutEverywhere(
      async () => {},
      await host.image('1.0.0'),
      async () => {
        expect(await host.version()).toBe('1.0.0')
      },
    )
    expect(steps).toBeGreaterThan(20)
  })

  test('of an upgrade', async () => {
    const steps = await cutEverywhere(
      async () => look(await host.image('1.0.0')),
      await host.image('2.0.0'),
      async () => {
        expect([await host.version(), (await host.versions()).length]).toEqual(['2.0.0', 2])
      },
    )
    expect(steps).toBeGreaterThan(20)
  })

  test('of a removal', async () => {
    const before = await host.listing()
    const options = () => ({ hostRoot: host.root, programs: host.programs, files: host.files, logger })
    const removed = async (step: number) => {
      await look(await host.image('1.0.0'))
      host.cutAt(step)
      const whole = await removeAgent(options(), never).then(
        () => true,
        () => false,
      )
      host.cutAt(Infinity)
      await removeAgent(options(), never)
      expect([step, await host.listing()]).toEqual([step, before])
      return whole
    }
    let step = 1
    while (step < 50 && !(await removed(step))) step += 1
    expect(step).toBeGreaterThan(7)
  })
})
