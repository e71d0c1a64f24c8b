import * as access from './access.ts'
import * as audit from './audit.ts'
import * as hosts from './hosts.ts'
import * as permissions from './permissions.ts'
import * as requests from './requests.ts'
import type { Route } from './route.ts'
import * as session from './session.ts'

/** Every route, in the order of openapi.json; the stream of live.ts is described by hand. */
export const routes: readonly Route[] = [session, permissions, hosts, requests, access, audit].flatMap((module) =>
  Object.values(module).filter(isRoute),
)

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'answer' in value
}
