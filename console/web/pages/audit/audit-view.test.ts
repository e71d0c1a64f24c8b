import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { listAudit } from '../../../protocol/audit.ts'
import { routes } from '../../../protocol/index.ts'
import { en } from '../../i18n/en.ts'
import { parseSearch, stringifySearch } from '../../search.ts'
import { actions, auditViewOf, pageOfObject } from './audit-view.ts'

test('every route that changes something can be asked for, and has a name in words', () => {
  const changing = routes.filter(({ method }) => method !== 'GET').map(({ name }) => name)
  expect(actions.toSorted()).toEqual(changing.toSorted())
  expect(Object.keys(en.audit.actions).toSorted()).toEqual(changing.toSorted())
})

test('whatever stands in the address, the console takes what becomes of it', () => {
  const keys = ['actor', 'action', 'object', 'outcome', 'from', 'to']
  const value = fc.oneof(
    fc.constantFrom('admin', 'Admin', 'Denied', '2026-01-01', '2026-01-01T00:00:00+02:00'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), (search) => {
      const view = auditViewOf(parseSearch(stringifySearch(search)))
      expect(listAudit.query.safeParse(view).success).toBe(true)
      expect(auditViewOf(parseSearch(stringifySearch({ ...view })))).toEqual(view)
    }),
  )
})

test.each([
  ['hostrequests/default/reboot', '/requests/default/reboot'],
  ['accounts/mei', '/access/mei'],
  ['accounts/mei/tokens/x', undefined],
  ['sessions', undefined],
])('%s is shown by %s', (object, page) => {
  expect(pageOfObject(object)).toBe(page)
})
