import type { StageConsole, Step } from './stage.ts'

/** What a demo consists of. */
export type Show = {
  readonly steps: readonly Step[]
  readonly console: StageConsole
}

/** Towards the machine: how it is reached from there, and what is told to it. */
export type Outside = {
  /** Where the machine's kubectl finds the API server. */
  readonly kubernetesUrl: string
  /** Where the machine's browsers find the console. */
  readonly consoleUrl: string
  /** From now on what comes from the machine for the API server goes to this one; and terminals of the machine get its administrator's kubeconfig. */
  openKubernetes(server: string, adminKubeconfig: string): Promise<void>
  /** From now on what comes from the machine for the console goes there. */
  openConsole(url: string): void
}
