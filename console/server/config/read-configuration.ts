import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { BlockList, isIPv4 } from 'node:net'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Configuration } from './configuration.ts'
import { makeSecret } from './session-secret.ts'
import { settingNames, settings, variableOf, type SettingName } from './settings.ts'

/** Settings are missing or wrong; the message names each one, where it was said, and what to do. */
export class ConfigurationError extends Error {
  readonly code = 'ConfigurationRefused'

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('; '), options)
    this.name = 'ConfigurationError'
  }
}

type Environment = Readonly<Record<string, string | undefined>>
type Given = Partial<Record<SettingName, { readonly value: unknown; readonly where: string }>>

const prefix = 'KEELSON_CONSOLE_'
/** What Kubernetes puts into Pods for a Service of the name keelson-console. */
const serviceLink = /^KEELSON_CONSOLE_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)/
/** Names the file, and is no setting in it. */
const fileVariable = `${prefix}CONFIG`

/**
 * From the YAML file that `--config FILE` or KEELSON_CONSOLE_CONFIG names, and from the environment, which wins.
 *
 * @throws ConfigurationError with everything that is wrong; the TypeError of `parseArgs`, which names the option, for one that there is not
 */
export async function readConfiguration(args: readonly string[], environment: Environment): Promise<Configuration> {
  const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } })
  const file = values.config ?? environment[fileVariable]
  const given: Given = { ...(file === undefined ? {} : await fromFile(file)), ...fromEnvironment(environment) }
  const schema = z.object(settings)
  const entries = Object.entries(given).map(([name, { value }]) => [name, value] as const)
  const result = schema.safeParse(Object.fromEntries(entries))
  if (!result.success) throw new ConfigurationError(result.error.issues.map((issue) => problemOf(issue, given)))
  return complete(result.data, (name) => given[name]?.where ?? variableOf(name))
}

function fromEnvironment(environment: Environment): Given {
  const known = new Map(settingNames.map((name) => [variableOf(name), name]))
  const given: Given = {}
  const unknown: string[] = []
  for (const [where, value] of Object.entries(environment)) {
    if (!where.startsWith(prefix) || where === fileVariable || value === undefined) continue
    const name = known.get(where)
    if (name === undefined && serviceLink.test(where)) continue
    if (name === undefined)
      unknown.push(`${where}: there is no such setting; there are ${[...known.keys()].join(', ')}`)
    else given[name] = { value, where }
  }
  if (unknown.length > 0) throw new ConfigurationError(unknown)
  return given
}

async function fromFile(file: string): Promise<Given> {
  let content: unknown
  try {
    content = parse(await readFile(file, 'utf8'), { maxAliasCount: 0 })
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? (cause instanceof Error ? cause.message : String(cause))
    const remedy = 'name a YAML file of settings that the console may read'
    throw new ConfigurationError([`--config: ${file} cannot be read (${why}): ${remedy}`], { cause })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new ConfigurationError([`--config: ${file} is no list of settings: write \`publicUrl: https://…\` and so on`])
  const unknown = Object.keys(content).filter((name) => !Object.hasOwn(settings, name))
  if (unknown.length > 0) {
    const names = settingNames.join(', ')
    throw new ConfigurationError(
      unknown.map((name) => `${file}: ${name}: there is no such setting; there are ${names}`),
    )
  }
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => [name, { value, where: `${file}: ${name}` }]),
  )
}

function problemOf({ path, message }: z.core.$ZodIssue, given: Given): string {
  const name = path[0] as SettingName
  const { where } = given[name] ?? {}
  if (where !== undefined) return `${where}: ${message}`
  return `${variableOf(name)} (in the file ${name}) is missing: ${settings[name].description ?? ''}`
}

type Settings = z.output<z.ZodObject<typeof settings>>
type Where = (name: SettingName) => string

async function complete(values: Settings, where: Where): Promise<Configuration> {
  const { bindAddress, bindPort, kubeconfig, trustedProxies, administrator, auditRetentionDays, pages, logLevel } =
    values
  const { kubernetesPublicUrl, sessionSecretFile, sessionIdleSeconds, sessionAbsoluteSeconds } = values
  if (sessionAbsoluteSeconds < sessionIdleSeconds)
    throw new ConfigurationError([
      `${where('sessionAbsoluteSeconds')}: give at least sessionIdleSeconds, ${sessionIdleSeconds}`,
    ])
  return {
    bindAddress,
    bindPort,
    publicUrl: publicUrlOf(values, where),
    databaseUrl: await databaseUrlOf(values, where),
    sessionSecrets: await secretsOf(sessionSecretFile, where('sessionSecretFile')),
    kubeconfig,
    kubernetesPublicUrl: kubernetesPublicUrl === undefined ? undefined : new URL(kubernetesPublicUrl),
    trustedProxies,
    sessionIdleSeconds,
    sessionAbsoluteSeconds,
    administrator,
    auditRetentionDays,
    pages,
    logLevel,
  }
}

function publicUrlOf({ bindAddress, bindPort, publicUrl, trustedProxies }: Settings, where: Where): URL {
  if (publicUrl === undefined && !isLoopback(bindAddress))
    throw new ConfigurationError([
      `${where('publicUrl')} is missing: with bindAddress ${bindAddress} say where browsers find the console, as https://console.example.org`,
    ])
  const url = new URL(publicUrl ?? `http://${bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress}:${bindPort}`)
  if (url.protocol === 'http:' && !isLoopback(bindAddress) && trustedProxies.length === 0)
    throw new ConfigurationError([
      `${where('bindAddress')}: passwords would cross the network in the clear: put a proxy that ends TLS in front and give an https publicUrl, name it in trustedProxies, or listen on 127.0.0.1`,
    ])
  return url
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

async function databaseUrlOf({ databaseUrl, databaseUrlFile }: Settings, where: Where): Promise<string> {
  if (databaseUrlFile === undefined) return databaseUrl ?? 'file:/var/lib/keelson-console/console.db'
  if (databaseUrl !== undefined)
    throw new ConfigurationError([`${where('databaseUrlFile')}: give this or databaseUrl, not both`])
  const text = (await readSecret(databaseUrlFile, where('databaseUrlFile'), 'put databaseUrl into it')).trim()
  const { success } = settings.databaseUrl.safeParse(text)
  if (success && text !== '') return text
  // The value may hold a password, so it is not shown.
  throw new ConfigurationError([
    `${where('databaseUrlFile')}: ${databaseUrlFile} holds no URL: put file:/path/console.db or postgres://user:password@host/name into it`,
  ])
}

const minSecretLength = 32
/** Of different characters: a random one of base64 has about 25 in 32. */
const minDistinct = 10
const maxSecrets = 8

async function secretsOf(file: string, where: string): Promise<readonly string[]> {
  const remedy = `run openssl rand -base64 48 > ${file}`
  await makeMissing(file, where, remedy)
  const lines = (await readSecret(file, where, remedy)).split('\n').map((line) => line.trim())
  const secrets = lines.filter((line) => line !== '')
  if (secrets.length === 0) throw new ConfigurationError([`${where}: ${file} is empty: ${remedy}`])
  if (secrets.length > maxSecrets)
    throw new ConfigurationError([`${where}: ${file} holds more than ${maxSecrets} secrets: take the oldest ones out`])
  const weak = secrets.findIndex((secret) => secret.length < minSecretLength || new Set(secret).size < minDistinct)
  if (weak >= 0)
    throw new ConfigurationError([
      `${where}: secret ${weak + 1} of ${file} is weak (at least ${minSecretLength} random characters): ${remedy}`,
    ])
  return secrets
}

async function makeMissing(file: string, where: string, remedy: string): Promise<void> {
  if (existsSync(file)) return
  try {
    await makeSecret(file)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ConfigurationError([`${where}: ${file} is not there and cannot be made (${why}): ${remedy}`], { cause })
  }
}

async function readSecret(file: string, where: string, remedy: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ConfigurationError([`${where}: ${file} cannot be read (${why}): ${remedy}`], { cause })
  }
}
