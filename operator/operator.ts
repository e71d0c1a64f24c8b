import { ConflictError, runAsLeader, type KubeClient, type LeaderElectionOptions } from '@keelson/kube'
import { operatorLease } from './lease.ts'
import { runTerm, type TermOptions } from './term.ts'

export type OperatorOptions = TermOptions & {
  /** One that is used for nothing else. */
  readonly electionClient: KubeClient
  readonly leaseTimes?: Pick<LeaderElectionOptions, 'leaseMs' | 'renewDeadlineMs' | 'retryMs'>
}

/** More than the parts of a term take to end, less than the 30 s that a Pod is given. */
const stopTimeoutMs = 15_000

/**
 * Runs the operator until the signal is aborted: a candidate, and whenever it is elected a leader, which alone writes and sends. Each term begins with nothing of
 * the last one.
 *
 * Where the Lease was deleted or restored from a backup, its epochs begin again below those of the records that are there. The leader that finds such a
 * record ends its term and is elected anew above that epoch. Had another one truly come after it, it would not be elected: so no record is
 * overruled, and no run waits for ever.
 *
 * Throws what a part of it throws, and KubeError `StopTimeout`; the process must end then.
 */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { electionClient, leaseTimes, logger, metrics } = options
  let outrankedBy: number | undefined
  let highest = -1
  do {
    outrankedBy = undefined
    await runAsLeader(
      {
        ...{ ...leaseTimes, client: electionClient, stopTimeoutMs },
        lease: operatorLease,
        ...(metrics === undefined ? {} : { metrics }),
        epochAbove: () => highest,
        onHolder: (holder) => logger.info({ holder }, 'the leader is known'),
        onError: (error) => {
          // Two that reach for the lease at once: that is what an election is for.
          if (error instanceof ConflictError) logger.debug({ err: error }, 'lease changed meanwhile, will be read anew')
          else logger.warn({ err: error }, 'lease not read or written, will be tried again')
        },
      },
      async (leadership) => {
        const { epoch } = leadership
        logger.info({ epoch }, 'leading')
        leadership.signal.addEventListener('abort', () =>
          logger.info({ epoch, err: leadership.signal.reason as unknown }, 'term ends'),
        )
        outrankedBy = await runTerm(options, leadership)
        if (outrankedBy === undefined) return
        highest = outrankedBy
        logger.warn(
          { epoch, recordEpoch: highest },
          'a run was recorded under a higher epoch: was the Lease deleted or restored? Beginning a term above it',
        )
      },
      signal,
    )
  } while (outrankedBy !== undefined && !signal.aborted)
}
