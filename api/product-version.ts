import manifest from './package.json' with { type: 'json' }

/** What agent, operator, console and `keelson --version` tell: semantic versioning. An executable has it built in, in place of the variable. */
export const productVersion: string = process.env['KEELSON_VERSION'] ?? manifest.version
