import { accepted, limit, refused, repeat, withSpec, type AdmissionCase } from './case.ts'

const percentages = (field: string, make: (value: unknown) => unknown): AdmissionCase[] => {
  const invalid = { field, reason: 'FieldValueInvalid' } as const
  return [
    ...limit(`${field}, least percentage`, 1, (size) => make(`${size}%`), invalid, 0),
    ...limit(`${field}, most percentage`, 100, (size) => make(`${size}%`), invalid),
    ...['64', '%', '05%', '1.5%', '-1%', '5 %', '5%\n', ''].map((value) =>
      refused(`${field} ${JSON.stringify(value)}`, make(value), invalid),
    ),
  ]
}

const numbers = (field: string, from: number, to: number, make: (value: number) => unknown): AdmissionCase[] => {
  const invalid = { field, reason: 'FieldValueInvalid' } as const
  return [...limit(`${field}, least`, from, make, invalid, from - 1), ...limit(`${field}, most`, to, make, invalid)]
}

function choices(name: string, right: readonly string[], wrong: readonly string[]): AdmissionCase[] {
  return [
    ...right.map((choice) => accepted(`${name} ${choice}`, withSpec({ [name]: choice }))),
    ...wrong.map((choice) =>
      refused(`${name} ${JSON.stringify(choice)}`, withSpec({ [name]: choice }), {
        field: `spec.${name}`,
        reason: 'FieldValueNotSupported',
      }),
    ),
  ]
}

function flags(name: string): AdmissionCase[] {
  return [
    ...[true, false].map((flag) => accepted(`${name} ${flag}`, withSpec({ [name]: flag }))),
    ...['true', 1].map((flag) =>
      refused(`${name} ${JSON.stringify(flag)}`, withSpec({ [name]: flag }), {
        field: `spec.${name}`,
        reason: 'FieldValueTypeInvalid',
      }),
    ),
  ]
}

const waves = (...steps: readonly unknown[]) => withSpec({ waves: steps })
const token = { field: 'spec.runToken', reason: 'FieldValueInvalid' } as const

/** How a run goes: deadlines, retries, waves, thresholds and policies. */
export const runCases: readonly AdmissionCase[] = [
  ...numbers('spec.activeDeadlineSeconds', 1, 604_800, (value) => withSpec({ activeDeadlineSeconds: value })),
  ...numbers('spec.retry.limit', 0, 10, (value) => withSpec({ retry: { limit: value } })),
  ...numbers('spec.maxFailures', 0, 100_000, (value) => withSpec({ maxFailures: value })),
  ...percentages('spec.maxFailures', (value) => withSpec({ maxFailures: value })),
  ...numbers('spec.waves[0]', 1, 100_000, (value) => waves(value)),
  ...percentages('spec.waves[1]', (value) => waves(1, value)),
  ...limit(
    'fewest waves',
    1,
    (size) => waves(...repeat(size, () => 1)),
    { field: 'spec.waves', reason: 'FieldValueInvalid' },
    0,
  ),
  ...limit('most waves', 16, (size) => waves(...repeat(size, (index) => index + 1)), {
    field: 'spec.waves',
    reason: 'FieldValueTooMany',
  }),
  ...choices('onFailure', ['Stop', 'Pause', 'Continue'], ['Suspend', 'stop', '']),
  ...choices('onOffline', ['Skip', 'Wait', 'Try'], ['Fail', 'skip', '']),
  ...choices('onUnknown', ['Fail', 'Resend'], ['Skip', 'fail', '']),
  ...choices('answers', ['Sample', 'None'], ['All', 'none', '']),
  ...flags('suspend'),
  ...flags('dryRun'),
  ...numbers('spec.ttlSecondsAfterFinished', 0, 31_536_000, (value) => withSpec({ ttlSecondsAfterFinished: value })),
  accepted('runToken of every kind of character', withSpec({ runToken: 'aZ0._-' })),
  ...['a b', 'a/b', 'é', 'a\n'].map((runToken) =>
    refused(`runToken ${JSON.stringify(runToken)}`, withSpec({ runToken }), token),
  ),
  ...limit('length of a runToken', 63, (size) => withSpec({ runToken: 'a'.repeat(size) }), {
    field: 'spec.runToken',
    reason: 'FieldValueTooLong',
  }),
]
