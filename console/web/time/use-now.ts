import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    for (const each of listeners) each()
  }, 1_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The present time, in ms since 1970, as far as whole steps of `step` ms go: what uses it renders once a step. One timer for the whole page. */
export function useNow(step: number): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / step) * step)
}

/** The time on the clock of performance.now(), which nobody sets back, in the same way. */
export function useUptime(step: number): number {
  return useSyncExternalStore(subscribe, () => Math.floor(performance.now() / step) * step)
}
