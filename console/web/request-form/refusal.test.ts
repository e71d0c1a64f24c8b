import { describe, expect, test } from 'vitest'
import { emptyForm, emptyParameter } from './request-form.ts'
import { refusalsOf } from './refusal.ts'

const form = {
  ...emptyForm,
  parameters: [
    { ...emptyParameter, key: 'a', value: 'x' },
    { ...emptyParameter, key: 'b', source: 'Secret' as const, secretName: 'names', secretKey: 'k' },
  ],
}
const forbidden = { code: 'Forbidden', kubernetes: { status: 403, reason: 'Forbidden' } }
const policy = `hostrequests.keelson.dev "a" is forbidden: ValidatingAdmissionPolicy 'hostrequest-targets.keelson.dev' with binding 'hostrequest-targets.keelson.dev' denied request: `

describe('what the server refuses', () => {
  test('stands at its field', () => {
    const causes = [
      { field: 'spec.http.port', message: 'ports 22 … are refused' },
      { field: 'spec.http.parameters[1].key', message: 'parameter key is refused' },
      { field: 'spec.http.parameters', message: 'value of parameter "a" is refused: character U+003B (;); with …' },
      { field: 'spec.waves[0]', message: 'too small' },
      { field: 'spec.hostSelector.matchLabels', message: 'too many' },
      { field: 'metadata.name', message: 'a name' },
      { field: 'spec.unheardOf', message: 'new' },
    ]
    const fields = refusalsOf({ code: 'Invalid', message: 'invalid', causes }, form).map(({ field }) => field)
    expect(fields).toEqual(['port', 'parameters.1.key', 'parameters.0.value', 'waves', 'selector', 'name', undefined])
  })

  test('says who may not do what on which host', () => {
    const message = `${policy}user "system:serviceaccount:keelson-users:bob" may not update hosts/sysctl on host "worker-2", as POST /v1/sysctl on port 7117 requires`
    expect(refusalsOf({ ...forbidden, message }, form)).toEqual([
      { kind: 'HostForbidden', field: 'hosts', message, user: 'bob', verb: 'update', area: 'sysctl', host: 'worker-2' },
    ])
  })

  test('says so of every host', () => {
    const message = `${policy}user "system:serviceaccount:keelson-users:bob" may not get hosts/proxy on every host, as GET / on port 80 requires when spec.workers names none`
    expect(refusalsOf({ ...forbidden, message }, form)).toMatchObject([
      { kind: 'HostForbidden', verb: 'get', host: undefined },
    ])
  })

  test('says so of a Secret, at the parameter that comes from it', () => {
    const message = `${policy}user "jane" may not get the Secret "names" in the namespace "default", as a value from it requires`
    expect(refusalsOf({ ...forbidden, message }, form)).toMatchObject([
      { kind: 'SecretForbidden', field: 'parameters.1.secret', user: 'jane', secret: 'names', namespace: 'default' },
    ])
  })

  test('says so of the namespace', () => {
    const message =
      'hostrequests.keelson.dev is forbidden: User "system:serviceaccount:keelson-users:bob" cannot create resource "hostrequests" in API group "keelson.dev" in the namespace "default"'
    expect(refusalsOf({ ...forbidden, message }, form)).toMatchObject([
      { kind: 'RequestForbidden', field: 'namespace', user: 'bob', verb: 'create', namespace: 'default' },
    ])
  })

  test('says so of a name that is taken', () => {
    const message = 'hostrequests.keelson.dev "a" already exists'
    const kubernetes = { status: 409, reason: 'AlreadyExists' }
    expect(refusalsOf({ code: 'AlreadyExists', message, kubernetes }, form)).toEqual([
      { kind: 'NameTaken', field: 'name', message },
    ])
  })

  test('is told whole where no field can be told', () => {
    const message = 'admission webhook "x" denied the request'
    expect(refusalsOf({ ...forbidden, message }, form)).toEqual([{ kind: 'Invalid', field: undefined, message }])
    expect(refusalsOf({ code: 'ConflictOfNames', message: 'there is one', field: 'metadata.name' }, form)).toEqual([
      { kind: 'Invalid', field: 'name', message: 'there is one' },
    ])
  })
})
