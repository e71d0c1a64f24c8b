export { routes } from './protocol/index.ts'
