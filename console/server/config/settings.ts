import { isIP, isIPv4 } from 'node:net'
import { z } from 'zod'
import { Label } from '../../protocol/names.ts'

const seconds = (from: number, to: number) =>
  z.coerce
    .number(`give a whole number of seconds`)
    .int()
    .min(from, `give at least ${from}`)
    .max(to, `give at most ${to}`)

const path = z.string().min(1, 'give a path').startsWith('/', 'give an absolute path')

function isRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  if (isIP(address) === 0 || rest.length > 0) return false
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIPv4(address) ? 32 : 128))
  )
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false
  return url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
}

/** Every setting. The table of docs/console-settings.md is made from this; so are the names of the environment's variables. */
export const settings = {
  bindAddress: z
    .string()
    .refine((text) => isIP(text) > 0, 'give an IP address, as 127.0.0.1 or ::')
    .default('127.0.0.1')
    .describe('IP address to listen on. Any other than loopback wants https in `publicUrl`, or `trustedProxies`.'),
  // Not `port`: a Service named keelson-console brings a variable KEELSON_CONSOLE_PORT into every Pod beside it.
  bindPort: z.coerce
    .number('give a port from 1 to 65535')
    .int('give a port from 1 to 65535')
    .min(1, 'give a port from 1 to 65535')
    .max(65_535, 'give a port from 1 to 65535')
    .default(7118)
    .describe('TCP port to listen on.'),
  publicUrl: z
    .string()
    .refine(isOrigin, 'give scheme, host and port alone, as https://console.example.org')
    .optional()
    .describe(
      'Where browsers find the console: scheme, host and port. Its scheme decides on Secure cookies and HSTS; what comes from a page of another origin is refused. Default: `http://127.0.0.1:PORT`, for a loopback `bindAddress` alone.',
    ),
  databaseUrl: z
    .string()
    .regex(/^(file:.+|postgres(ql)?:\/\/.+)$/, 'give file:/path/console.db or postgres://user:password@host/name')
    .optional()
    .describe(
      '`file:/PATH` (SQLite, for one console at a time) or `postgres://USER:PASSWORD@HOST/NAME` (for several). Default: `file:/var/lib/keelson-console/console.db`.',
    ),
  databaseUrlFile: path.optional().describe('File that holds `databaseUrl`, as from a Secret; instead of it.'),
  sessionSecretFile: path.describe(
    'Required. File with a secret of at least 32 random characters a line, as from `openssl rand -base64 48`; where there is no file the console makes it. The first signs, all are taken: to replace one put the new one first, and take the old one out after `sessionAbsoluteSeconds`.',
  ),
  kubeconfig: path.optional().describe('Kubeconfig of the console itself. Default: the service account of the Pod.'),
  kubernetesPublicUrl: z
    .string()
    .refine(
      (text) => isOrigin(text) && text.startsWith('https:'),
      'give https, host and port alone, as https://k8s.example.org:6443',
    )
    .optional()
    .describe(
      'The API server as people reach it, for the kubeconfigs that they download. Default: as the console reaches it.',
    ),
  trustedProxies: z
    .preprocess(
      (value) =>
        typeof value === 'string'
          ? value
              .split(',')
              .map((item) => item.trim())
              .filter((item) => item !== '')
          : value,
      z.array(z.string().refine(isRange, 'give IP addresses or ranges, as 10.0.0.7 or 10.1.0.0/16')).max(64),
    )
    .default([])
    .describe(
      'IP addresses and ranges of proxies, separated by commas (in the file also a list), whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Declaring one also says that it ends TLS.',
    ),
  sessionIdleSeconds: seconds(60, 86_400).default(1_800).describe('A session ends so long after its last call.'),
  sessionAbsoluteSeconds: seconds(300, 604_800)
    .default(43_200)
    .describe('A session ends so long after the sign-in, whatever happens.'),
  administrator: Label.default('admin').describe(
    'Account of the first administrator, whose password the bootstrap link sets; its rights are those of the ServiceAccount of that name in `keelson-users`.',
  ),
  auditRetentionDays: z.coerce
    .number('give a number of days')
    .int()
    .min(1, 'give at least 1')
    .max(3_650, 'give at most 3650')
    .default(400)
    .describe('Entries of the audit are kept so long, and at most a million of them.'),
  pages: path
    .optional()
    .describe('Folder of the built pages. Default: `pages` beside the executable; in a checkout `console/web/dist`.'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'], 'give debug, info, warn or error')
    .default('info')
    .describe('What is logged.'),
} as const

export type SettingName = keyof typeof settings

export const settingNames = Object.keys(settings) as readonly SettingName[]

/** KEELSON_CONSOLE_PUBLIC_URL for publicUrl. */
export function variableOf(name: SettingName): string {
  return `KEELSON_CONSOLE_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** The settings as a table in Markdown. */
export function settingsTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const rows = settingNames.map((name) => {
    const schema: z.ZodType = settings[name]
    const ready = schema.safeParse(undefined)
    const value = ready.success && ready.data !== undefined ? JSON.stringify(ready.data) : '[]'
    const byDefault = value === '[]' ? '' : `\`${value.replaceAll('"', '')}\``
    return `| \`${name}\` | \`${variableOf(name)}\` | ${byDefault} | ${cell(schema.description ?? '')} |`
  })
  return ['| setting | variable | default | what it is |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
