import { apiVersion, HostRequestSpec, type Host } from '@keelson/api'

export type HostSketch = {
  readonly name: string
  readonly online?: boolean
  readonly role?: 'ControlPlane' | 'Worker'
  readonly labels?: Record<string, string>
  readonly address?: string
}

/** A Host as the operator has written it. */
export function hostOf({ name, online = true, role = 'Worker', labels = {}, address = '10.0.0.1' }: HostSketch): Host {
  return {
    apiVersion,
    kind: 'Host',
    metadata: { name, labels },
    status: {
      addresses: [{ type: 'InternalIP', address }],
      role,
      conditions: [
        {
          ...{ type: 'Online', status: online ? 'True' : 'False', reason: 'Because', message: '' },
          lastTransitionTime: '2026-01-02T12:00:00Z',
        },
      ],
    },
  }
}

export type SpecSketch = Partial<Omit<HostRequestSpec, 'workers' | 'http'>> & {
  readonly workers?: readonly string[]
  readonly http?: Partial<HostRequestSpec['http']>
}

/** A spec as the API server stores it: `GET /status` on port 8080 of every host, unless told otherwise. */
export function specOf({ workers = [], http = {}, ...rest }: SpecSketch): HostRequestSpec {
  return HostRequestSpec.parse({
    ...rest,
    workers: workers.map((name) => ({ name })),
    http: { port: 8080, api: '/status', method: 'GET', ...http },
  })
}
