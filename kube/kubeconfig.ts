import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import type { ClientConfiguration, Credentials } from './configuration.ts'
import { KubeError } from './errors.ts'

type Fields = Readonly<Record<string, unknown>>

const clusterFields = new Set([
  'server',
  'certificate-authority',
  'certificate-authority-data',
  'tls-server-name',
  'disable-compression',
  'extensions',
])
const userFields = new Set([
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
  'token',
  'tokenFile',
  'extensions',
])

/**
 * Reads the current context (or the named one) of a kubeconfig file. What we do not honour is refused, never ignored: exec and auth-provider plug-ins,
 * passwords, impersonation, proxies, and TLS without verification.
 *
 * @throws KubeError `KubeconfigUnreadable`, `KubeconfigInvalid` or `KubeconfigUnsupported`, naming file and field, never a value.
 */
export async function loadKubeconfig(path: string, options: { context?: string } = {}): Promise<ClientConfiguration> {
  const root = parse(await read(path, path), path)
  const contextName = options.context ?? text(root, 'current-context', path)
  if (contextName === undefined) throw invalid(path, 'current-context', 'is missing: name a context')
  const context = entry(root, 'contexts', contextName, 'context', path)
  const clusterName = text(context, 'cluster', path)
  if (clusterName === undefined) throw invalid(path, `contexts[${contextName}].context.cluster`, 'is missing')
  const cluster = entry(root, 'clusters', clusterName, 'cluster', path)
  refuseOthers(cluster, clusterFields, `clusters[${clusterName}].cluster`, path)
  const server = text(cluster, 'server', path)
  if (server === undefined) throw invalid(path, `clusters[${clusterName}].cluster.server`, 'is missing')

  return {
    server,
    ca: await pem(cluster, 'certificate-authority', path),
    serverName: text(cluster, 'tls-server-name', path),
    credentials: await readCredentials(root, text(context, 'user', path), path),
    namespace: text(context, 'namespace', path),
  }
}

async function readCredentials(root: Fields, userName: string | undefined, path: string): Promise<Credentials> {
  if (userName === undefined) return {}
  const user = entry(root, 'users', userName, 'user', path)
  refuseOthers(user, userFields, `users[${userName}].user`, path)
  const certificate = await pem(user, 'client-certificate', path)
  const key = await pem(user, 'client-key', path)
  if ((certificate === undefined) !== (key === undefined)) {
    throw invalid(path, `users[${userName}].user`, 'has only one of client-certificate and client-key')
  }
  const tokenFile = text(user, 'tokenFile', path)
  return {
    certificate,
    key,
    token: text(user, 'token', path),
    tokenFile: tokenFile === undefined ? undefined : resolve(dirname(path), tokenFile),
  }
}

function parse(source: string, path: string): Fields {
  const lines = new LineCounter()
  const document = parseDocument(source, { prettyErrors: false, lineCounter: lines })
  const [error] = document.errors
  // The parser's own words quote the source, which may be a token.
  if (error) throw invalid(path, `line ${lines.linePos(error.pos[0]).line}`, `is not YAML (${error.code})`)
  try {
    const root: unknown = document.toJS()
    if (isFields(root)) return root
  } catch {
    throw invalid(path, 'the document', 'has an alias without an anchor; quote values that begin with "*"')
  }
  throw invalid(path, 'the document', 'is not a mapping')
}

function entry(root: Fields, list: string, name: string, member: string, path: string): Fields {
  const entries: unknown = root[list]
  const found: unknown = Array.isArray(entries)
    ? entries.find((each: unknown) => isFields(each) && each['name'] === name)
    : undefined
  const value = isFields(found) ? found[member] : undefined
  if (!isFields(value)) throw invalid(path, list, `has no entry named ${JSON.stringify(name)} with a ${member}`)
  return value
}

function text(fields: Fields, name: string, path: string): string | undefined {
  const value = fields[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalid(path, name, 'is not a string')
  return value
}

/** `<name>-data` holds the PEM in base64 and wins over `<name>`, which is a path relative to the kubeconfig. */
async function pem(fields: Fields, name: string, path: string): Promise<string | undefined> {
  const data = text(fields, `${name}-data`, path)
  const file = text(fields, name, path)
  const content =
    data !== undefined
      ? Buffer.from(data, 'base64').toString('utf8')
      : file !== undefined
        ? await read(resolve(dirname(path), file), path)
        : undefined
  if (content !== undefined && !content.includes('-----BEGIN ')) throw invalid(path, name, 'does not hold PEM')
  return content
}

async function read(file: string, kubeconfig: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const message = `kubeconfig ${kubeconfig}: cannot read ${file}: ${cause instanceof Error ? cause.message : 'unknown'}`
    throw new KubeError({ code: 'KubeconfigUnreadable', message, cause })
  }
}

function refuseOthers(fields: Fields, known: ReadonlySet<string>, where: string, path: string): void {
  for (const [name, value] of Object.entries(fields)) {
    if (known.has(name) || value === false || value === null || value === '') continue
    const message = `kubeconfig ${path}: ${where}.${name} is not supported: use a certificate, a token or a tokenFile, over verified TLS`
    throw new KubeError({ code: 'KubeconfigUnsupported', message })
  }
}

function invalid(path: string, where: string, what: string): KubeError {
  return new KubeError({ code: 'KubeconfigInvalid', message: `kubeconfig ${path}: ${where} ${what}` })
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
