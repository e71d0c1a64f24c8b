export { defaultFolder } from './certificate-folder.ts'
export { enrol, type EnrolmentOptions, type EnrolmentResult } from './enrol.ts'
export { EnrolmentError, type EnrolmentErrorCode } from './enrolment-error.ts'
export { describeRequest, requestName, type RequestDescription } from './host-key.ts'
