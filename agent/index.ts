export { clientName } from './client-identity.ts'
export { AgentConfig, ConfigError, readConfig, readTls, type TlsMaterial } from './config.ts'
export { AgentServer, type AgentServerOptions } from './server.ts'
export { version } from './version.ts'
