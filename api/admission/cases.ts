import type { AdmissionCase } from './case.ts'
import { hostCases } from './host-cases.ts'
import { httpCases } from './http-cases.ts'
import { parameterCases } from './parameter-cases.ts'
import { runCases } from './run-cases.ts'

/**
 * Made from the rules' own constants: each refused character, each bound at its limit and one beyond, each refused port, and
 * neighbours of all of them that are accepted.
 */
export const admissionCases: readonly AdmissionCase[] = [...hostCases, ...httpCases, ...parameterCases, ...runCases]
