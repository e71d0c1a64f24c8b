import { useEffect, useState } from 'react'

/** True once `holds` has been true for so long without a break, in milliseconds: what is over at once is not worth a word. */
export function useLasting(holds: boolean, milliseconds: number): boolean {
  const [lasts, setLasts] = useState(false)
  useEffect(() => {
    if (!holds) return undefined
    const timer = setTimeout(() => setLasts(true), milliseconds)
    return () => {
      clearTimeout(timer)
      setLasts(false)
    }
  }, [holds, milliseconds])
  return lasts && holds
}
