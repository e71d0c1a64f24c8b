export { runOperator, type OperatorOptions } from './operator.ts'
