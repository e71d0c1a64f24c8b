export { runOperator, type OperatorOptions } from './operator.ts'
export { AuthorityUnreadableError } from './signing/authority-storage.ts'
export { Signing, type SigningOptions } from './signing/signing.ts'
