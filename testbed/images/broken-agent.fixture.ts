/** Stands in for the agent in an image whose rollout has to fail. */
process.stdout.write(
  `${JSON.stringify({ level: 60, time: new Date().toISOString(), msg: 'agent is broken on purpose' })}\n`,
)
process.exitCode = 1
