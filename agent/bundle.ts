import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Makes the agent one file that a host's Node runs as it is, without node_modules. CommonJS, as a lone agent.js without a package.json
 * beside it is read as that. Not minified: a stack trace from a host must be readable.
 */
export async function bundleAgent(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    legalComments: 'inline',
    logLevel: 'silent',
  })
}
