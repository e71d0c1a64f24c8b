import { agentPort } from '@keelson/api'
import { z } from 'zod'

const ParameterRow = z.object({
  key: z.string(),
  source: z.enum(['Value', 'Secret']),
  value: z.string(),
  secretName: z.string(),
  secretKey: z.string(),
})
export type ParameterRow = Readonly<z.infer<typeof ParameterRow>>

/**
 * What stands in the fields of the page, as it was typed. An empty text is the default of its field; only the fields without one are required. Who gets
 * the request is a choice of three, so that no list that was forgotten or emptied means every host.
 */
export const RequestForm = z
  .object({
    namespace: z.string(),
    name: z.string(),
    who: z.enum(['Names', 'Labels', 'Every']),
    names: z.array(z.string()).readonly(),
    selector: z.string().describe('As kubectl reads it: zone=a,tier in (x,y),!gone.'),
    targetType: z.enum(['All', 'ControlPlane', 'Worker']),
    port: z.string(),
    api: z.string(),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    parameters: z.array(ParameterRow).readonly(),
    check: z.enum(['Text', 'Typed']),
    scheme: z.enum(['', 'http', 'https']),
    successCodes: z.string(),
    timeoutSeconds: z.string(),
    activeDeadlineSeconds: z.string(),
    parallelism: z.string(),
    retryLimit: z.string(),
    waves: z.string(),
    maxFailures: z.string(),
    onFailure: z.enum(['Stop', 'Pause', 'Continue']),
    onOffline: z.enum(['Skip', 'Wait', 'Try']),
    onUnknown: z.enum(['Fail', 'Resend']),
    answers: z.enum(['', 'Sample', 'None']),
    ttlSecondsAfterFinished: z.string(),
  })
  .readonly()
export type RequestForm = z.infer<typeof RequestForm>

export const emptyForm: RequestForm = {
  namespace: 'default',
  name: '',
  who: 'Names',
  names: [],
  selector: '',
  targetType: 'All',
  port: String(agentPort),
  api: '',
  method: 'GET',
  parameters: [],
  check: 'Text',
  scheme: '',
  successCodes: '',
  timeoutSeconds: '',
  activeDeadlineSeconds: '',
  parallelism: '',
  retryLimit: '',
  waves: '',
  maxFailures: '',
  onFailure: 'Stop',
  onOffline: 'Skip',
  onUnknown: 'Fail',
  answers: '',
  ttlSecondsAfterFinished: '',
}

export const emptyParameter: ParameterRow = { key: '', source: 'Value', value: '', secretName: '', secretKey: '' }

/** Fields of the form, as problems name them. */
export type FormField =
  Exclude<keyof RequestForm, 'who' | 'names'> | 'hosts' | `parameters.${number}.${'key' | 'value' | 'secret'}`

/** Those that are folded away as long as nobody wants them to be otherwise. */
export const optionFields = [
  'check',
  'scheme',
  'successCodes',
  'timeoutSeconds',
  'activeDeadlineSeconds',
  'parallelism',
  'retryLimit',
  'waves',
  'maxFailures',
  'onFailure',
  'onOffline',
  'onUnknown',
  'answers',
  'ttlSecondsAfterFinished',
] as const satisfies readonly FormField[]
