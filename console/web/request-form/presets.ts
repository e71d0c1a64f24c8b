import { agentPort } from '@keelson/api'
import { emptyParameter, type ParameterRow, type RequestForm } from './request-form.ts'

type Method = RequestForm['method']

interface PresetMethod {
  /** Parameters that the type refuses to go without. */
  readonly required?: readonly string[]
  /** At least one of them. */
  readonly oneOf?: readonly string[]
  /** Rows that the page begins with. */
  readonly begins: readonly string[]
}

export type PresetName = 'sysctl' | 'hostname' | 'systemdUnit' | 'facts'

export interface Preset {
  readonly name: PresetName
  readonly api: string
  readonly methods: Readonly<Partial<Record<Method, PresetMethod>>>
}

/** The types of the agent that requests are for, with a form of their own. */
export const presets: readonly Preset[] = [
  {
    name: 'sysctl',
    api: '/v1/sysctl',
    methods: { GET: { required: ['key'], begins: ['key'] }, POST: { begins: [''] } },
  },
  {
    name: 'systemdUnit',
    api: '/v1/systemdUnit',
    methods: {
      GET: { required: ['name'], begins: ['name'] },
      POST: { required: ['name'], oneOf: ['state', 'enabled'], begins: ['name'] },
    },
  },
  {
    name: 'hostname',
    api: '/v1/hostname',
    methods: { GET: { begins: [] }, POST: { required: ['static'], begins: ['static'] } },
  },
  { name: 'facts', api: '/v1/facts', methods: { GET: { begins: [] } } },
]

/** The type that the form is about; `undefined`: it is written freely. */
export function presetOf({ port, api, method }: Pick<RequestForm, 'port' | 'api' | 'method'>): Preset | undefined {
  if (port.trim() !== String(agentPort)) return undefined
  return presets.find((preset) => preset.api === api.trim() && preset.methods[method] !== undefined)
}

/** The form turned to a type of the agent, with the rows that it begins with. */
export function withPreset(form: RequestForm, preset: Preset, method: Method): RequestForm {
  const rows = preset.methods[method]?.begins ?? []
  return {
    ...form,
    port: String(agentPort),
    api: preset.api,
    method,
    scheme: '',
    parameters: rows.map((key) => parameterRow(form, key) ?? { ...emptyParameter, key }),
  }
}

export function parameterRow(form: Pick<RequestForm, 'parameters'>, key: string): ParameterRow | undefined {
  return form.parameters.find((row) => row.key === key)
}

/** The same with one parameter changed, added, or, by `undefined`, taken away. */
export function withParameter(form: RequestForm, key: string, value: string | undefined): RequestForm {
  const rest = form.parameters.filter((row) => row.key !== key)
  if (value === undefined) return { ...form, parameters: rest }
  const isThere = rest.length < form.parameters.length
  const row: ParameterRow = { ...emptyParameter, key, value }
  return {
    ...form,
    parameters: isThere ? form.parameters.map((one) => (one.key === key ? row : one)) : [...form.parameters, row],
  }
}
