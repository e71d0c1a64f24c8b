import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Makes the executable one file (an ES module, so name it .mjs) that a host's Node runs as it is, without node_modules. Not minified: a stack trace
 * from a host must be readable.
 */
export async function bundleExecutable(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // What is CommonJS inside asks for Node's own modules by `require`.
    banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
    legalComments: 'inline',
    logLevel: 'silent',
  })
}
