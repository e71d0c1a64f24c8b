import { fileURLToPath } from 'node:url'
import { bundleModule } from '@keelson/cli/bundle'

/** Makes the kubelet one file (an ES module) that a host's Node runs as it is. */
export async function bundleKubelet(outfile: string): Promise<void> {
  await bundleModule(fileURLToPath(new URL('main.ts', import.meta.url)), outfile)
}
