import type { CommandResult } from '../command.ts'
import type { Host } from '../hosts/host.ts'

/** What the steps are shown on: the quick world and the cluster both have it. Nodes are `control-plane`, `worker-1`, `worker-2` …. */
export type Stage = {
  /** Names of the workers' Nodes. */
  readonly workers: readonly string[]
  /** The host of a Node, by the Node's name; what it calls itself may be something else. */
  host(name: string): Pick<Host, 'read'>
  /** As administrator. Never throws for a refusal. */
  kubectl(args: readonly string[]): Promise<CommandResult>
  readonly console: StageConsole
}

export type StageConsole = {
  /** Where browsers of the machine find it. */
  readonly url: string
  /** Where it is found from here. */
  readonly inside: string
  /** Where the first administrator sets a password. */
  bootstrapLink(): Promise<string>
}

export type Step = {
  readonly title: string
  /** Shows what it is about and gives back what whoever looks on is to see. Throws where that is not what it should be. */
  readonly run: () => Promise<string>
}

class StepError extends Error {}

export function expectThat(holds: boolean, wanted: string, found: string): void {
  if (!holds) throw new StepError(`expected ${wanted}, found: ${found}`)
}

/** kubectl's output without the last line break; throws with its words unless it succeeds. */
export async function mustKubectl(stage: Pick<Stage, 'kubectl'>, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await stage.kubectl(args)
  if (exitCode !== 0) throw new StepError(`kubectl ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trimEnd()
}
