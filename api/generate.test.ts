import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { chartTemplate } from './chart-template.ts'

// Each starts several processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

function generate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'generate.ts'), ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('what is in git is what would be generated', () => {
  expect(generate('--check')).toEqual({ status: 0, stdout: '', stderr: '' })
})

test('writes what is stale, and names it where it only checks', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'keelson-deploy-'))
  const hosts = join(folder.path, 'crds/hosts.keelson.dev.yaml')
  const requests = join(folder.path, 'crds/hostrequests.keelson.dev.yaml')
  const policy = join(folder.path, 'admission/hostrequest-targets.yaml')
  const secrets = join(folder.path, 'admission/hostrequest-secrets.yaml')

  const missing = generate('--check', folder.path)
  expect(missing.status).toBe(1)
  for (const file of [hosts, requests, policy, secrets]) expect(missing.stderr).toContain(`${file} is stale`)

  expect(generate(folder.path)).toMatchObject({
    status: 0,
    stdout: `${[hosts, requests, policy, secrets].join('\n')}\n`,
  })
  expect(readFileSync(hosts, 'utf8')).toContain('\n  name: hosts.keelson.dev\n')
  expect(readFileSync(policy, 'utf8')).toContain('\n  name: hostrequest-targets.keelson.dev\n')
  expect(generate('--check', folder.path)).toEqual({ status: 0, stdout: '', stderr: '' })

  writeFileSync(hosts, 'edited')
  rmSync(policy)
  const check = generate('--check', folder.path)
  expect(check.status).toBe(1)
  expect(check.stderr).toContain(`${hosts} is stale`)
  expect(check.stderr).toContain(`${policy} is stale`)
  expect(check.stderr).not.toContain(requests)
  expect(readFileSync(hosts, 'utf8')).toBe('edited')

  expect(generate(folder.path)).toMatchObject({ status: 0, stdout: `${hosts}\n${policy}\n` })
  expect(generate('--check', folder.path)).toMatchObject({ status: 0 })
})

test.each(['crds', 'admission'])('notices a file in %s that nothing generates, and leaves it alone', (name) => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'keelson-deploy-'))
  const extra = join(folder.path, name, 'renamed.yaml')
  generate(folder.path)
  writeFileSync(extra, 'kind: Old')
  const check = generate('--check', folder.path)
  expect(check.status).toBe(1)
  expect(check.stderr).toBe(`${extra} is not a generated file: delete it, or keep it elsewhere\n`)
  expect(generate(folder.path)).toMatchObject({ status: 0, stdout: '' })
  expect(readFileSync(extra, 'utf8')).toBe('kind: Old')
})

test('a template of the chart has its labels and annotations, and no action but those', () => {
  const yaml =
    'kind: A\nmetadata:\n  name: a\n  annotations:\n    own: x\nspec: {metadata: "{{ x }}"}\n---\nkind: B\nmetadata:\n  name: b\n'
  expect(chartTemplate({ yaml, condition: 'on', component: 'c', annotations: { more: 'y' } }))
    .toBe(`{{- if .Values.on }}
kind: A
metadata:
  name: a
  labels:
    {{- include "keelson.labels" (list $ "c") | nindent 4 }}
  annotations:
    more: y
    own: x
spec: {metadata: "{{ "{{" }} x }}"}
---
kind: B
metadata:
  name: b
  labels:
    {{- include "keelson.labels" (list $ "c") | nindent 4 }}
  annotations:
    more: y
{{- end }}
`)
  expect(chartTemplate({ yaml: 'metadata:\n  name: b\n', component: 'c', stableLabels: true })).toBe(
    'metadata:\n  name: b\n  labels:\n    {{- include "keelson.stableLabels" (list $ "c") | nindent 4 }}\n',
  )
})
