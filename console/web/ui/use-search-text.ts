import { useEffect, useRef, useState } from 'react'

const settleMilliseconds = 150

/** What is typed into a search field, shown at once and put into the address (`settle`) when the typing pauses; a step back in the history shows here. */
export function useSearchText(
  inAddress: string,
  settle: (text: string) => void,
): readonly [string, (text: string) => void] {
  const [text, setText] = useState(inAddress)
  const settled = useRef(inAddress)
  useEffect(() => {
    if (inAddress === settled.current) return
    settled.current = inAddress
    setText(inAddress)
  }, [inAddress])
  useEffect(() => {
    if (text === settled.current) return undefined
    const timer = setTimeout(() => {
      settled.current = text
      settle(text)
    }, settleMilliseconds)
    return () => clearTimeout(timer)
  }, [text, settle])
  return [text, setText]
}
