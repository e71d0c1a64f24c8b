import { defaultFolder, enrol } from '@keelson/install'
import { KubeClient } from '@keelson/kube'
import { parse } from './arguments.ts'
import { UsageError, type Print } from './command.ts'

const fieldManager = 'keelson-join'

/** `keelson join`: makes the key here, asks the cluster, waits, and puts the certificate where the agent reads it. */
export async function join(args: readonly string[], out: Print): Promise<void> {
  const { values, positionals } = parse(args, {
    name: { type: 'string' },
    kubeconfig: { type: 'string' },
    folder: { type: 'string', default: defaultFolder },
    replace: { type: 'boolean', default: false },
    'timeout-seconds': { type: 'string', default: '3600' },
  })
  const { name, kubeconfig, folder, replace } = values
  const timeoutSeconds = Number(values['timeout-seconds'])
  if (positionals.length > 0) throw new UsageError(`${JSON.stringify(positionals[0])} is not an option`)
  if (name === undefined) throw new UsageError('--name: give the name that the Host has, or is to have')
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 86_400))
    throw new UsageError('--timeout-seconds: give a number of seconds up to 86400')
  await using client = await (kubeconfig === undefined
    ? KubeClient.inCluster({ fieldManager })
    : KubeClient.fromKubeconfig(kubeconfig, { fieldManager }))
  const { outcome, expiresAt } = await enrol({
    ...{ name, folder, client, replace, timeoutMs: timeoutSeconds * 1_000 },
    onRequest: (request) => {
      out(`asked for the certificate of ${name}, with the key ${request.keyFingerprint}`)
      out(`waiting; where a person must approve it: keelson approve ${request.name}`)
    },
  })
  const what = outcome === 'Present' ? 'has a good certificate already' : 'has its certificate'
  out(`${name} ${what}, in ${folder}, until ${expiresAt.toISOString()}`)
}
