import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientConfiguration } from './configuration.ts'
import { KubeError } from './errors.ts'

/**
 * The configuration of a pod: its service account's projected volume and the API server's address from the environment. The token is not read here:
 * the kubelet replaces it about every hour, so the client reads the file for each request.
 *
 * @throws KubeError `NotInCluster`
 */
export async function loadInCluster(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  folder = '/var/run/secrets/kubernetes.io/serviceaccount',
): Promise<ClientConfiguration> {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? ''
  if (host === '' || port === '') {
    throw notInCluster('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set')
  }
  try {
    return {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      ca: await readFile(join(folder, 'ca.crt'), 'utf8'),
      credentials: { tokenFile: join(folder, 'token') },
      namespace: (await readFile(join(folder, 'namespace'), 'utf8')).trim(),
    }
  } catch (cause) {
    throw notInCluster(cause instanceof Error ? cause.message : 'the service account cannot be read', cause)
  }
}

function notInCluster(why: string, cause?: unknown): KubeError {
  return new KubeError({
    code: 'NotInCluster',
    message: `no in-cluster configuration: ${why}; outside a pod name a kubeconfig, inside one mount the service account`,
    cause,
  })
}
