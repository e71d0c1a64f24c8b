import { join } from 'node:path'
import { bundleModule } from '@keelson/cli/bundle'

/** Makes the kubelet one file, kubelet.mjs, that a host's Node runs as it is. */
export async function bundleKubelet(directory: string): Promise<void> {
  await bundleModule(join(import.meta.dirname, 'main.ts'), join(directory, 'kubelet.mjs'))
}
