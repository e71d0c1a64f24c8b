import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { codeLikeWords, documentedCodes } from './error-codes.ts'

const tree = resolve(import.meta.dirname, '../..')
const page = await readFile(join(tree, 'docs/troubleshooting.md'), 'utf8')
const words = codeLikeWords(tree)

/** Words of the sources that look like codes and are none. A new one that is in neither place turns a test red: explain it, or put it here. */
const noCodes = new Set(
  `
  values of our fields: Absent All Continue ControlPlane Fail None Pause Resend Sample Skip Stop Text Try Typed Wait Worker
  conditions: Approved Denied Failed False Finished Online Ready Reconciling Stalled True Unknown
  Kubernetes: Background Cluster ClusterRole ClusterRoleBinding Deny DoesNotExist Equivalent Exists Foreground Group Host HostRequest In InternalIP Namespaced
    Normal NotIn Opaque Orphan Role RoleBinding Secret ServiceAccount Status User ValidatingAdmissionPolicy Warning
  what an Event says was being done: Elect Run
  states and steps inside a program: Announce Announcing Body Connect Done Drop Enrolled Fresh Headers Installer Kept Namespaces Person Present Public Queue
    Replacing Sign Spare Stay Steady Update Workload
  the console's words for what it shows: Disabled Enabled Expiring Get Hosts LongLived Never Pending Script Skipped Type Untold
  systemd: ActiveState BindsTo BoundBy CanReload CanStart CanStop ConditionResult ConditionTimestampMonotonic ConsistsOf ExecMainStatus Id LoadState MainPID NeedDaemonReload
    PropagatesStopTo RequiredBy Requires RequisiteOf Result SubState UnitFileState Wants
  others' programs: AbortError Linux custom
  `
    .replaceAll(/^ +[^:\n]+:/gm, '')
    .trim()
    .split(/\s+/),
)

test('docs/troubleshooting.md explains every code of the sources', () => {
  const explained = new Set(documentedCodes(page))
  const missing = [...words].filter(([word]) => !explained.has(word) && !noCodes.has(word))
  expect(missing.map(([word, file]) => `${word} in ${file}`)).toEqual([])
})

test('it explains none that is not in the sources, and each one once', () => {
  const codes = documentedCodes(page)
  expect(codes.filter((code) => !words.has(code))).toEqual([])
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
  expect(codes.length).toBeGreaterThan(200)
})

test('what is said to be no code is in the sources, and not explained as one', () => {
  const explained = new Set(documentedCodes(page))
  expect([...noCodes].filter((word) => !words.has(word) || explained.has(word))).toEqual([])
})
