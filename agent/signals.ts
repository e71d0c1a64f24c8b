/** `gone`: nobody waits for the answer any more. `stop`: the agent ends now and may not even finish what it has begun. */
export type Signals = { readonly gone: AbortSignal; readonly stop: AbortSignal }
