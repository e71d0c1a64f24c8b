import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Makes the kubelet one file (an ES module) that a host's Node runs as it is. */
export async function bundleKubelet(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
    logLevel: 'silent',
  })
}
