export { clientNames, type ClientIdentity } from './client-identity.ts'
export { AgentConfig, ConfigError, readConfig } from './config.ts'
export { AgentServer, type AgentServerOptions } from './server.ts'
export { readTls, type TlsMaterial } from './trust/tls-material.ts'
